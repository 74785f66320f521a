{# What each wanted user did in all, by week before as_of: week k is [as_of - 168 (k+1),
   as_of - 168 k) hours. Grain: one row per (as_of_hour, user_key, week) with an event. #}
{{ config(materialized='ephemeral') }}
with

hours as (
    select
        hours.as_of_hour,
        hours.user_key,
        {{ floor_divide('hours.as_of_hour - 1 - hours.event_hour', 24) }} as day,
        hours.event_hour,
        hours.n_events
    from {{ ref('features_hours') }} as hours
    inner join {{ ref('hourly_tokens') }} as tokens
        on hours.token_id = tokens.token_id and tokens.kind = 'event'
),

final as (
    select
        as_of_hour,
        user_key,
        {{ floor_divide('day', 7) }} as week,
        sum(n_events) as n_events,
        bit_count(bit_or({{ bit_flag('day % 7') }})) as n_days,
        min(event_hour) as first_hour,
        max(event_hour) as last_hour
    from hours
    group by as_of_hour, user_key, {{ floor_divide('day', 7) }}
)

select * from final
