{# The bucket of other values of a property, counted as one: one set of kept values for now, and one
   for each champion that was trained with a different set. Its value is a hash of the kept values,
   so it becomes a new counter when they change. Grain: one row per (event_name, property,
   value). #}
{{ config(materialized='ephemeral') }}
with

properties as (select * from {{ ref('hourly_counter_properties') }}),

counted as (select * from {{ ref('hourly_counter_values') }}),

chosen as (
    select
        counted.event_name,
        counted.property,
        cast(
            sum({{ hash_bucket('counted.kind || counted.value', 2147483647) }})
            as {{ dbt.type_string() }}
        ) as value,
        max(properties.n_events) - sum(counted.n_events) as n_events,
        max(properties.n_events_of_type) as n_events_of_type
    from counted
    inner join properties
        on counted.event_name = properties.event_name and counted.property = properties.property
    where counted.is_chosen
    group by counted.event_name, counted.property
),

champion_sets as (
    select distinct
        event_name,
        property,
        value,
        case when is_version then 'version' else 'value' end as kind,
        kept_values_hash
    from {{ ref('hourly_champion_features') }}
    where event_name is not null and kept_values_hash is not null
),

-- The rest can be counted only if every kept value is known.
of_champions as (
    select
        sets.event_name,
        sets.property,
        cast(sets.kept_values_hash as {{ dbt.type_string() }}) as value,
        max(properties.n_events) - sum(counted.n_events) as n_events
    from champion_sets as sets
    inner join properties
        on sets.event_name = properties.event_name and sets.property = properties.property
    left join counted
        on sets.event_name = counted.event_name
        and sets.property = counted.property
        and sets.kind = counted.kind
        and sets.value = counted.value
    group by sets.event_name, sets.property, sets.kept_values_hash
    having count(counted.value) = count(*)
),

listed as (
    select event_name, property, value, n_events, true as is_chosen
    from chosen
    where n_events >= {{ var('min_value_share') }} * n_events_of_type
    union all
    select event_name, property, value, n_events, false as is_chosen
    from of_champions
),

final as (
    select event_name, property, value, max(n_events) as n_events, bool_or(is_chosen) as is_chosen
    from listed
    where n_events > 0
    group by event_name, property, value
)

select * from final
