{# Daily counts of each prediction's outcome before as_of, which show since when and until when the
   outcome exists (models_ml/foretell/alarms/outcome_life.py). Grain: one row per (prediction,
   event_day). Counted for all users, in the cohort or not, and without the bounds of the outcome.
   An hourly run leaves the table unchanged: as_of_hour is the hour as of which it was counted. #}
{{ config(tags=['daily']) }}
with

outcomes as (
    select distinct prediction, measure_id
    from {{ ref('prediction_conditions') }}
    where role = 'outcome'
),

measure_ids as (select distinct measure_id from outcomes),

now as (select as_of_hour from {{ ref('stg_as_of') }}),

-- Once per measure: predictions may share one.
counted as (
    select
        hours.measure_id,
        {{ floor_divide('hours.event_hour', 24) }} as event_day,
        now.as_of_hour,
        cast(sum(hours.n_events) as bigint) as n_events,
        cast(count(*) as bigint) as n_sightings,
        min(hours.event_hour) as first_hour,
        max(hours.event_hour) as last_hour
    from {{ measure_hours() }} as hours
    inner join measure_ids on hours.measure_id = measure_ids.measure_id
    inner join now on hours.event_hour < now.as_of_hour
    group by
        hours.measure_id,
        {{ floor_divide('hours.event_hour', 24) }},
        now.as_of_hour
),

final as (
    select
        outcomes.prediction,
        counted.event_day,
        counted.n_events,
        counted.n_sightings,
        counted.first_hour,
        counted.last_hour,
        counted.as_of_hour
    from counted
    inner join outcomes on counted.measure_id = outcomes.measure_id
)

select * from final
