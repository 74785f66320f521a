{# How often each value of each event property occurs before as_of. Grain: one row per (event_name,
   property, value); values longer than max_value_characters share the row whose value is NULL. #}
with

events as (
    select event_name, event_properties
    from {{ past_events() }} as past
    where event_properties is not null
),

pairs as (
    {{ json_pairs('events', 'event_properties', ['event_name']) }}
),

shortened as (
    select
        event_name,
        property,
        case when length(value) <= {{ var('max_value_characters') }} then value end as value
    from pairs
    where value is not null
),

final as (
    select
        event_name,
        property,
        value,
        {{ to_number('value') }} is not null as is_number,
        cast(count(*) as bigint) as n_events
    from shortened
    group by event_name, property, value
)

select * from final
