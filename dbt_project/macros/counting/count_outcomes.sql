{# Labels: whether a prediction's outcome happened in [as_of, as_of + horizon). For value predictions (how
   much?) also the value; a user who returned more than they bought in the window counts as 0. rows: name of a
   CTE with prediction, as_of_hour, user_key; counts: name of a CTE like cohort_window_counts with the windows
   of those outcomes. Identities of both are resolved as known at the end of the window, so a visitor who logs
   in after as_of is still the same person. #}
{% macro count_outcomes(rows, counts) %}
    {%- set total = 'coalesce(happened.amount, happened.n_events, 0)' %}
    select
        requested.prediction,
        requested.as_of_hour,
        requested.user_key,
        case
            when {{ is_within(total, 'requested') }} then 1
            else 0
        end as label,
        case
            when requested.is_value then cast(greatest({{ total }}, 0) as double)
        end as value
    from (
        select
            {{ rows }}.prediction,
            {{ rows }}.as_of_hour,
            {{ rows }}.user_key,
            {{ rows }}.as_of_hour + definitions.horizon_hours as to_hour,
            definitions.is_value,
            conditions.measure_id,
            conditions.min_count,
            conditions.max_count,
            identity_map.user_key as person_key
        from {{ rows }}
        inner join {{ ref('prediction_definitions') }} as definitions
            on {{ rows }}.prediction = definitions.prediction
        inner join {{ ref('prediction_conditions') }} as conditions
            on {{ rows }}.prediction = conditions.prediction and conditions.role = 'outcome'
        inner join {{ ref('stg_identity_map') }} as identity_map
            on {{ owner_as_of(
                rows ~ '.user_key', rows ~ '.as_of_hour + definitions.horizon_hours'
            ) }}
    ) as requested
    left join {{ counts }} as happened
        on requested.measure_id = happened.measure_id
        and requested.as_of_hour = happened.from_hour
        and requested.to_hour = happened.to_hour
        and requested.to_hour = happened.owner_as_of_hour
        and requested.person_key = happened.user_key
{% endmacro %}
