{# The as-of grid. Grain: one row per (prediction, as_of_hour). scoring: now; training: weekly back
   from the newest hour whose outcome window has ended, as far as history allows: max_snapshots,
   and one more per week of horizon, since so many overlap the newest one's outcome window. Training
   takes sample_per_million of the users, by hash: all, until there are too many rows. #}
with

definitions as (select prediction, horizon_hours from {{ ref('prediction_definitions') }}),

as_of as (select as_of_hour, first_event_hour from {{ ref('stg_as_of') }}),

steps as (
    {%- for step in range(var('max_snapshots') + 53 if var('scope') == 'everyone' else 0) %}
    select {{ step }} as weeks_back union all
    {%- endfor %}
    select cast(null as integer) as weeks_back
),

grid as (
    select
        definitions.prediction,
        definitions.horizon_hours,
        steps.weeks_back,
        steps.weeks_back is null as is_scoring,
        as_of.as_of_hour
        - coalesce(definitions.horizon_hours + 168 * steps.weeks_back, 0) as as_of_hour,
        as_of.first_event_hour
    from definitions
    cross join as_of
    cross join steps
),

population as (select count(*) as n_users from {{ ref('stg_identities') }}),

snapshots as (
    select
        prediction,
        as_of_hour,
        horizon_hours,
        is_scoring,
        count(*) over (partition by prediction, is_scoring) as n_snapshots
    from grid
    where
        is_scoring
        or (
            as_of_hour >= first_event_hour + 24 * {{ var('min_history_days') }}
            and 168 * weeks_back < 168 * {{ var('max_snapshots') }} + horizon_hours
        )
),

final as (
    select
        snapshots.prediction,
        snapshots.as_of_hour,
        {{ hour_start('snapshots.as_of_hour') }} as as_of,
        snapshots.horizon_hours,
        case when snapshots.is_scoring then 'scoring' else 'training' end as purpose,
        case
            when snapshots.is_scoring then 1000000
            else cast(least(
                1000000,
                floor(
                    1e6 * {{ var('max_training_users') }} / greatest(population.n_users, 1)
                ),
                floor(
                    1e6 * {{ var('max_training_rows') }}
                    / greatest(population.n_users * snapshots.n_snapshots, 1)
                )
            ) as integer)
        end as sample_per_million
    from snapshots
    cross join population
)

select * from final
