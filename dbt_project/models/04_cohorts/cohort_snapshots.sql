{# The as-of grid. Grain: one row per (prediction, as_of_hour). scoring: now; training: weekly back
   from the newest hour whose outcome window has ended, as far as history allows: max_snapshots,
   plus one per week of horizon, since that many overlap the newest one's outcome window. If fewer
   than enough_outcomes users reached the outcome in all of them, training goes further back until
   enough did, or until there are twice max_training_rows. sample_per_million is the share of users
   to train on, chosen by hash: all, unless there are too many rows. #}
with

definitions as (select prediction, horizon_hours from {{ ref('prediction_definitions') }}),

as_of as (select as_of_hour from {{ ref('stg_as_of') }}),

population as (select greatest(count(*), 1) as n_users from {{ ref('stg_identities') }}),

weeks as (
    select
        prediction,
        as_of_hour,
        horizon_hours,
        168 * weeks_back < 168 * {{ var('max_snapshots') }} + horizon_hours as is_default,
        row_number() over (partition by prediction order by weeks_back) as n_weeks,
        sum(n_users_with_outcome) over (partition by prediction order by weeks_back)
        - n_users_with_outcome as n_outcomes_since
    from {{ ref('cohort_training_weeks') }}
),

samples as (
    select
        weeks.prediction,
        population.n_users,
        least(
            1000000,
            floor(1e6 * {{ var('max_training_users') }} / population.n_users),
            floor(
                1e6 * {{ var('max_training_rows') }}
                / (population.n_users * count(case when weeks.is_default then 1 end))
            )
        ) as sample_per_million
    from weeks
    cross join population
    group by weeks.prediction, population.n_users
),

snapshots as (
    select
        definitions.prediction,
        as_of.as_of_hour,
        definitions.horizon_hours,
        'scoring' as purpose,
        1000000 as sample_per_million
    from definitions
    cross join as_of
    union all
    select
        weeks.prediction,
        weeks.as_of_hour,
        weeks.horizon_hours,
        'training' as purpose,
        samples.sample_per_million
    from weeks
    inner join samples on weeks.prediction = samples.prediction
    where
        weeks.is_default
        or (
            samples.sample_per_million * weeks.n_outcomes_since
            < 1e6 * {{ var('enough_outcomes') }}
            and samples.sample_per_million * samples.n_users * weeks.n_weeks
            <= 1e6 * 2 * {{ var('max_training_rows') }}
        )
),

final as (
    select
        prediction,
        as_of_hour,
        {{ hour_start('as_of_hour') }} as as_of,
        horizon_hours,
        purpose,
        cast(sample_per_million as integer) as sample_per_million
    from snapshots
)

select * from final
