{# What the hourly rollup counts. Grain: one row per token.
   any: every event, the sum of the event types; event: one event type; value: an event type with one property value (the most
   frequent ones); sum: a numeric property of an event type. Ids hold within one build. #}
with

event_volumes as (
    select event_name, count(*) as n_events
    from {{ past_events() }} as past
    group by event_name
),

value_volumes as (
    select event_name, property, value, is_number, n_events
    from {{ ref('stg_property_values') }}
),

property_volumes as (
    select
        event_name,
        property,
        sum(n_events) as n_events,
        count(*) as n_values,
        sum(case when is_number then n_events else 0 end)
        >= {{ var('min_numeric_share') }} * sum(n_events) as is_numeric
    from value_volumes
    group by event_name, property
),

values_ranked as (
    select
        value_volumes.event_name,
        value_volumes.property,
        value_volumes.value,
        value_volumes.n_events,
        row_number() over (
            order by
                value_volumes.n_events desc,
                value_volumes.event_name,
                value_volumes.property,
                value_volumes.value
        ) as place
    from value_volumes
    inner join property_volumes
        on value_volumes.event_name = property_volumes.event_name
        and value_volumes.property = property_volumes.property
    inner join event_volumes on value_volumes.event_name = event_volumes.event_name
    where
        value_volumes.value is not null
        and value_volumes.n_events >= {{ var('min_value_share') }} * event_volumes.n_events
        and not (
            property_volumes.is_numeric
            and property_volumes.n_values > {{ var('max_numeric_values') }}
        )
),

sums_ranked as (
    select
        event_name,
        property,
        n_events,
        row_number() over (order by n_events desc, event_name, property) as place
    from property_volumes
    where is_numeric
),

tokens as (
    select
        1 as kind_order,
        'event' as kind,
        event_name,
        cast(null as {{ dbt.type_string() }}) as property,
        cast(null as {{ dbt.type_string() }}) as value,
        n_events
    from event_volumes
    union all
    select 2 as kind_order, 'value' as kind, event_name, property, value, n_events
    from values_ranked
    where place <= {{ var('max_value_tokens') }}
    union all
    select 3 as kind_order, 'sum' as kind, event_name, property, null as value, n_events
    from sums_ranked
    where place <= {{ var('max_sum_tokens') }}
    union all
    select
        0 as kind_order,
        'any' as kind,
        null as event_name,
        null as property,
        null as value,
        sum(n_events) as n_events
    from event_volumes
    having sum(n_events) > 0
),

final as (
    select
        cast(
            row_number() over (order by kind_order, event_name, property, value) - 1 as integer
        ) as token_id,
        kind,
        event_name,
        property,
        value,
        cast(n_events as bigint) as n_events
    from tokens
)

select * from final
