{# Events of each requested user, of all types, by week before as_of: week k is [as_of - 168 (k+1),
   as_of - 168 k) hours. Grain: one row per (as_of_hour, user_key, week) with an event. #}
{{ config(materialized='ephemeral') }}
with

days as (
    select
        days.as_of_hour,
        days.user_key,
        {{ floor_divide('days.day', 7) }} as week,
        days.n_events,
        days.first_hour,
        days.last_hour
    from {{ ref('features_days') }} as days
    inner join {{ ref('hourly_counters') }} as counters
        on days.counter_id = counters.counter_id and counters.kind = 'any'
),

final as (
    select
        as_of_hour,
        user_key,
        week,
        sum(n_events) as n_events,
        count(*) as n_days,
        min(first_hour) as first_hour,
        max(last_hour) as last_hour
    from days
    group by as_of_hour, user_key, week
)

select * from final
