{# Days with an event per requested user: any event (the counter of any event), or what a definition
   counts. Grain: one row per (as_of_hour, user_key, counter_id, day) with an event; day d is [as_of
   - 24 (d + 1), as_of - 24 d) hours. #}
{{ config(materialized='ephemeral') }}
with

hours as (
    select
        hours.as_of_hour,
        hours.user_key,
        hours.counter_id,
        {{ floor_divide('hours.as_of_hour - 1 - hours.event_hour', 24) }} as day,
        hours.event_hour,
        hours.n_events,
        hours.value_sum,
        counters.kind = 'event' as is_event
    from {{ ref('features_hours') }} as hours
    inner join (
        select counter_id, kind from {{ ref('hourly_counters') }} where kind = 'event'
        union all
        select counter_id, kind from {{ ref('prediction_measures') }} where kind = 'measure'
    ) as counters
        on hours.counter_id = counters.counter_id
),

any_event as (select counter_id from {{ ref('hourly_counters') }} where kind = 'any'),

named as (
    select distinct counter_id
    from {{ ref('taxonomy_features') }}
    where {{ is_kind_of('rhythm', 'kind') }}
),

final as (
    select
        hours.as_of_hour,
        hours.user_key,
        any_event.counter_id,
        hours.day,
        sum(hours.n_events) as n_events,
        null as value_sum,
        min(hours.event_hour) as first_hour,
        max(hours.event_hour) as last_hour
    from hours
    cross join any_event
    where hours.is_event
    group by hours.as_of_hour, hours.user_key, any_event.counter_id, hours.day
    union all
    select
        hours.as_of_hour,
        hours.user_key,
        hours.counter_id,
        hours.day,
        sum(hours.n_events) as n_events,
        sum(hours.value_sum) as value_sum,
        min(hours.event_hour) as first_hour,
        max(hours.event_hour) as last_hour
    from hours
    inner join named on hours.counter_id = named.counter_id
    group by hours.as_of_hour, hours.user_key, hours.counter_id, hours.day
)

select * from final
