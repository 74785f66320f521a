{# How often people query properties and event types. Grain: one row per (kind, event_name,
   property). Queries count if their day is before the day of as_of; a file or a model has no day
   and always counts. #}
{{ config(tags=['daily']) }}
with

usage as (
    select usage.kind, usage.event_name, usage.property, sum(usage.n_queries) as n_queries
    from {{ ref('event_property_usage') }} as usage
    inner join {{ ref('stg_as_of') }} as now
        on usage.usage_date < cast(now.as_of as date) or usage.usage_date is null
    group by usage.kind, usage.event_name, usage.property
),

event_properties as (
    select distinct event_name, property
    from {{ ref('volume_values') }}
    where property is not null
),

-- A query without an event type counts for the property on every event type that has it.
of_events as (
    select
        usage.kind,
        event_properties.event_name,
        event_properties.property,
        sum(usage.n_queries) as n_queries
    from usage
    inner join event_properties
        on usage.property = event_properties.property
        and (usage.event_name = event_properties.event_name or usage.event_name is null)
    where usage.kind = 'event_property'
    group by usage.kind, event_properties.event_name, event_properties.property
),

final as (
    select kind, event_name, property, cast(n_queries as bigint) as n_queries
    from of_events
    union all
    select kind, event_name, property, cast(n_queries as bigint) as n_queries
    from usage
    where kind <> 'event_property'
)

select * from final
