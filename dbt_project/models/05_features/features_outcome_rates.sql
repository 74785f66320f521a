{# How often a prediction's outcome happened for each requested user in the past: consecutive
   windows as long as the horizon, back from as_of, as far as the user has been seen. Grain: one row
   per (as_of_hour, user_key, counter_id); counter_id is the prediction's own
   (taxonomy_kept_features). No row if the outcome never happened. All windows have ended by
   as_of. #}
{{ config(materialized='ephemeral') }}
with

outcomes as (
    select
        outcomes.counter_id,
        outcomes.horizon_days,
        outcomes.kind,
        outcomes.min_count,
        outcomes.max_count,
        {{ is_within('0', 'outcomes') }} as holds_for_nobody,
        counters.counter_id as counted_id
    from {{ ref('prediction_outcome_rates') }} as outcomes
    inner join {{ ref('cohort_outcome_counters') }} as counters
        on outcomes.measure_id = counters.measure_id
),

users as (
    select as_of_hour, user_key, as_of_hour - min(first_hour) as n_hours
    from {{ ref('features_user_weeks') }}
    group by as_of_hour, user_key
),

happened as (
    select
        days.as_of_hour,
        days.user_key,
        outcomes.counter_id,
        outcomes.min_count,
        outcomes.max_count,
        outcomes.holds_for_nobody,
        outcomes.horizon_days,
        {{ floor_divide('days.day', 'outcomes.horizon_days') }} as past_window,
        sum(
            case when outcomes.kind = 'sum' then coalesce(days.value_sum, 0) else days.n_events end
        ) as total
    from {{ ref('features_days') }} as days
    inner join outcomes on days.counter_id = outcomes.counted_id
    group by all
),

decided as (
    select
        happened.*,
        case when {{ is_within('total', 'happened') }} then 1 else 0 end as is_outcome
    from happened
),

counted as (
    select
        decided.as_of_hour,
        decided.user_key,
        decided.counter_id,
        {{ floor_divide('users.n_hours', '(24 * decided.horizon_days)') }} as n_windows,
        decided.holds_for_nobody,
        sum(decided.is_outcome) as n_outcomes,
        count(*) as n_with_events
    from decided
    inner join users
        on decided.as_of_hour = users.as_of_hour and decided.user_key = users.user_key
    where decided.past_window < {{ floor_divide('users.n_hours', '(24 * decided.horizon_days)') }}
    group by all
),

added as (
    select
        as_of_hour,
        user_key,
        counter_id,
        case
            when holds_for_nobody then n_windows - n_with_events + n_outcomes else n_outcomes
        end as n_outcomes,
        n_windows
    from counted
    where n_windows > 0
),

final as (
    select
        as_of_hour, user_key, counter_id, n_outcomes, n_windows,
        cast(n_outcomes as double) / n_windows as outcome_rate
    from added
)

select * from final
