{# Candidate snapshots for training, with the number of users who reached the outcome in the window
   after each. Weekly back from the newest hour whose outcome window has ended, as far as history
   allows. With a horizon below a week the newest is a week ago, because a window of few days must
   hold the same weekdays as the predicted one. Grain: one row per (prediction, as_of_hour); none in
   an hourly run. Users are counted in a sample of identities (volume_user_sample) and scaled up, in
   the cohort or not. #}
{# Referenced in every scope: Dagster requires that the order of models does not depend on it. #}
{%- set now, conditions, sample = ref('stg_as_of'), ref('prediction_conditions'),
    ref('volume_user_sample') %}
{%- set hours = measure_hours() %}
{%- set max_weeks = [var('max_snapshots'), var('max_snapshots_of_few_outcomes')] | max %}
with

{% if var('scope') == 'everyone' -%}
definitions as (select prediction, horizon_hours from {{ ref('prediction_definitions') }}),

as_of as (select as_of_hour, first_event_hour from {{ now }}),

outcomes as (
    select distinct prediction, measure_id
    from {{ conditions }}
    where role = 'outcome'
),

sample as (select step from {{ sample }}),

steps as (
    {%- for step in range(max_weeks + 53) %}
    select {{ step }} as weeks_back {{- ' union all' if not loop.last }}
    {%- endfor %}
),

matured as (
    select
        definitions.prediction,
        definitions.horizon_hours,
        as_of.as_of_hour - greatest(definitions.horizon_hours, 168) as newest_hour,
        as_of.first_event_hour + 24 * {{ var('min_history_days') }} as oldest_hour
    from definitions
    cross join as_of
),

grid as (
    select
        matured.prediction,
        matured.horizon_hours,
        steps.weeks_back,
        matured.newest_hour - 168 * steps.weeks_back as as_of_hour
    from matured
    inner join steps
        on 168 * steps.weeks_back < 168 * {{ max_weeks }} + matured.horizon_hours
        and matured.newest_hour - 168 * steps.weeks_back >= matured.oldest_hour
),

-- Once per measure: predictions may share one.
counted as (
    select counted.measure_id, counted.identity_key, counted.event_hour
    from {{ hours }} as counted
    inner join outcomes on counted.measure_id = outcomes.measure_id
    inner join sample on counted.identity_key % sample.step = 0
    group by counted.measure_id, counted.identity_key, counted.event_hour
),

reached as (
    select
        grid.prediction,
        grid.as_of_hour,
        count(distinct counted.identity_key) as n_sampled
    from grid
    inner join outcomes on grid.prediction = outcomes.prediction
    inner join counted
        on outcomes.measure_id = counted.measure_id
        and counted.event_hour >= grid.as_of_hour
        and counted.event_hour < grid.as_of_hour + grid.horizon_hours
    group by grid.prediction, grid.as_of_hour
),

final as (
    select
        grid.prediction,
        grid.as_of_hour,
        grid.horizon_hours,
        grid.weeks_back,
        coalesce(reached.n_sampled, 0) * sample.step as n_users_with_outcome
    from grid
    cross join sample
    left join reached
        on grid.prediction = reached.prediction and grid.as_of_hour = reached.as_of_hour
)
{%- else -%}
final as (
    select
        prediction,
        horizon_hours as as_of_hour,
        horizon_hours,
        horizon_hours as weeks_back,
        cast(horizon_hours as bigint) as n_users_with_outcome
    from {{ ref('prediction_definitions') }}
    where false
)
{%- endif %}

select * from final
