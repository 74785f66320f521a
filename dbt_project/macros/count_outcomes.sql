{# How often the outcome of a prediction happened in [as_of, as_of + horizon), and so its label.
   rows: name of a CTE with prediction, as_of_hour, user_key; definitions: with horizon_hours.
   Identities are resolved as known at the end of the window, on both sides: a visitor who logs in
   after as_of is still the same person. #}
{% macro count_outcomes(rows) %}
    select
        wanted.prediction,
        wanted.as_of_hour,
        wanted.user_key,
        case
            when coalesce(happened.n_events, 0) >= wanted.min_count
                and coalesce(happened.n_events, 0) <= coalesce(wanted.max_count, 2147483647)
                then 1
            else 0
        end as label
    from (
        select
            {{ rows }}.prediction,
            {{ rows }}.as_of_hour,
            {{ rows }}.user_key,
            conditions.min_count,
            conditions.max_count,
            {{ resolved_key('identities', rows ~ '.as_of_hour + definitions.horizon_hours') }}
                as person_key
        from {{ rows }}
        inner join {{ ref('prediction_definitions') }} as definitions
            on {{ rows }}.prediction = definitions.prediction
        inner join {{ ref('prediction_conditions') }} as conditions
            on {{ rows }}.prediction = conditions.prediction and conditions.role = 'outcome'
        inner join {{ ref('stg_identities') }} as identities
            on {{ rows }}.user_key = identities.identity_key
    ) as wanted
    left join (
        select
            snapshots.prediction,
            snapshots.as_of_hour,
            {{ resolved_key('identities', 'snapshots.as_of_hour + snapshots.horizon_hours') }}
                as person_key,
            sum(hits.n_events) as n_events
        from (
            select distinct {{ rows }}.prediction, {{ rows }}.as_of_hour, definitions.horizon_hours
            from {{ rows }}
            inner join {{ ref('prediction_definitions') }} as definitions
                on {{ rows }}.prediction = definitions.prediction
        ) as snapshots
        inner join {{ ref('prediction_conditions') }} as conditions
            on snapshots.prediction = conditions.prediction and conditions.role = 'outcome'
        inner join {{ ref('cohort_condition_hours') }} as hits
            on conditions.condition_id = hits.condition_id
            and hits.event_hour >= snapshots.as_of_hour
            and hits.event_hour < snapshots.as_of_hour + snapshots.horizon_hours
        inner join {{ ref('stg_identities') }} as identities
            on hits.identity_key = identities.identity_key
        group by all
    ) as happened
        on wanted.prediction = happened.prediction
        and wanted.as_of_hour = happened.as_of_hour
        and wanted.person_key = happened.person_key
{% endmacro %}
