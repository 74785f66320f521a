{# How often each event type, and each value of its properties, occurs before as_of: whole days from
   volume_event_days, plus the hours since midnight. Grain: one row per (event_name, property,
   value) as in volume_event_days; event types that first occur after as_of have 0 events and no
   days. #}
{{ config(tags=['daily']) }}
with

as_of as (
    select as_of_hour, {{ floor_divide('as_of_hour', 24) }} as as_of_day from {{ ref('stg_as_of') }}
),

whole_days as (
    select days.*
    from {{ ref('volume_event_days') }} as days
    inner join as_of on days.event_day < as_of.as_of_day
),

last_hours as (
    select as_of.as_of_day as event_day, events.event_name, events.event_properties
    from {{ ref('stg_events') }} as events
    inner join as_of
        on events.event_hour >= 24 * as_of.as_of_day and events.event_hour < as_of.as_of_hour
),

last_day as (
    {{ count_values('last_hours') }}
),

listed as (
    select event_day, event_name, property, value, n_events, n_values, n_numbers, n_long, n_codes
    from whole_days
    union all
    select event_day, event_name, property, value, n_events, n_values, n_numbers, n_long, n_codes
    from last_day
    union all
    select distinct
        cast(null as integer) as event_day, event_name, property, value,
        0 as n_events, 0 as n_values, 0 as n_numbers, 0 as n_long, 0 as n_codes
    from {{ ref('volume_event_days') }}
    where property is null
),

final as (
    select
        event_name,
        property,
        value,
        cast(sum(n_events) as bigint) as n_events,
        cast(case when value is null then sum(n_values) else 1 end as bigint) as n_values,
        cast(sum(n_numbers) as bigint) as n_numbers,
        cast(sum(n_long) as bigint) as n_long,
        cast(sum(n_codes) as bigint) as n_codes,
        count(event_day) as n_days,
        min(event_day) as first_day,
        max(event_day) as last_day
    from listed
    group by event_name, property, value
)

select * from final
