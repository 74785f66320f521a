{# Event properties whose values or sum may be counted: all that no rule bans. Grain: one row per
   (event_name, property). #}
{{ config(materialized='ephemeral') }}
with

types as (
    select event_name, property, value_type, n_events, n_values
    from {{ ref('volume_property_types') }}
),

queried as (
    select event_name, property, n_queries
    from {{ ref('volume_property_usage') }}
    where kind = 'event_property'
),

event_types as (
    select event_name, n_events from {{ ref('volume_values') }} where property is null
),

final as (
    select
        types.event_name,
        types.property,
        types.value_type,
        {{ kind_of_value('types.value_type') }} as kind,
        types.n_events,
        types.n_values,
        event_types.n_events as n_events_of_type,
        coalesce(queried.n_queries, 0) as n_queries,
        {{ is_ruled('types.event_name', 'types.property', is_ban=false) }} as is_pinned
    from types
    inner join event_types on types.event_name = event_types.event_name
    left join queried
        on types.event_name = queried.event_name and types.property = queried.property
    where not {{ is_ruled('types.event_name', 'types.property', is_ban=true) }}
)

select * from final
