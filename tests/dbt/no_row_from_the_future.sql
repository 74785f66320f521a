{# Nothing that feeds a feature, a label or the taxonomy lies at or after as_of. One column of each
   table is read, no join. #}
{{ config(meta={'dagster': {'ref': {'name': 'features_values'}}}) }}
with

as_of as (select as_of_hour from {{ ref('stg_as_of') }}),

newest as (
    select 'cohort_filtered_hours.event_hour' as place, max(event_hour) as last_hour
    from {{ ref('cohort_filtered_hours') }}
    union all
    select 'cohort_windows.to_hour' as place, max(to_hour) - 1 as last_hour
    from {{ ref('cohort_windows') }}
    union all
    select 'stg_identities.first_hour' as place, max(first_hour) as last_hour
    from {{ ref('stg_identities') }}
    union all
    -- What was learned in the hour before as_of holds from as_of on.
    select 'stg_identity_map.valid_from_hour' as place, max(valid_from_hour) - 1 as last_hour
    from {{ ref('stg_identity_map') }}
    union all
    -- The grid may reach now, but not pass it.
    select 'features_rows.as_of_hour' as place, max(as_of_hour) - 1 as last_hour
    from {{ ref('features_rows') }}
    union all
    select 'features_values.as_of_hour' as place, max(as_of_hour) - 1 as last_hour
    from {{ ref('features_values') }}
    union all
    -- A label's window is [as_of, as_of + horizon): its last hour must be over.
    select
        'labels_outcomes, window of ' || labels.prediction as place,
        max(labels.as_of_hour) + definitions.horizon_hours - 1 as last_hour
    from {{ ref('labels_outcomes') }} as labels
    inner join {{ ref('prediction_definitions') }} as definitions
        on labels.prediction = definitions.prediction
    group by labels.prediction, definitions.horizon_hours
)

select newest.place, newest.last_hour, as_of.as_of_hour
from newest
cross join as_of
where newest.last_hour >= as_of.as_of_hour
