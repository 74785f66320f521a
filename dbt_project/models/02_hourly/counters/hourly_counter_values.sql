{# Property values to count: pinned ones first, then the most queried, then the most frequent.
   Inputs of champions are always included. Grain: one row per (event_name, property, value). #}
{{ config(materialized='ephemeral') }}
with

properties as (select * from {{ ref('hourly_counter_properties') }}),

volumes as (
    select
        volumes.event_name,
        volumes.property,
        {{ counted_value('properties.kind', 'volumes.value') }} as value,
        sum(volumes.n_events) as n_events
    from {{ ref('volume_values') }} as volumes
    inner join properties
        on volumes.event_name = properties.event_name and volumes.property = properties.property
    where volumes.value is not null
    group by all
),

of_champions as (
    select distinct
        event_name,
        property,
        value,
        case when is_version then 'version' else 'value' end as kind
    from {{ ref('hourly_champion_features') }}
    where event_name is not null and value is not null
),

decided as (
    select
        volumes.event_name,
        volumes.property,
        properties.kind,
        volumes.value,
        volumes.n_events,
        properties.is_pinned as is_property_pinned,
        properties.n_queries,
        {{ is_ruled('volumes.event_name', 'volumes.property', 'volumes.value', is_ban=false) }}
            as is_pinned,
        of_champions.value is not null as is_of_champion,
        volumes.n_events >= {{ var('min_value_share') }} * properties.n_events_of_type
        and (
            properties.value_type in ('boolean', 'category', 'version')
            or (properties.is_pinned and properties.value_type <> 'number')
            or (
                properties.value_type = 'number'
                and properties.n_values <= {{ var('max_numeric_values') }}
            )
        ) as is_eligible
    from volumes
    inner join properties
        on volumes.event_name = properties.event_name and volumes.property = properties.property
    left join of_champions
        on volumes.event_name = of_champions.event_name
        and volumes.property = of_champions.property
        and properties.kind = of_champions.kind
        and volumes.value = of_champions.value
    where not {{ is_ruled('volumes.event_name', 'volumes.property', 'volumes.value', is_ban=true) }}
),

ranked as (
    select
        decided.*,
        row_number() over (
            order by
                is_pinned desc, is_eligible desc, is_property_pinned desc, n_queries desc,
                n_events desc, event_name, property, value
        ) as place
    from decided
    where is_pinned or is_eligible or is_of_champion
),

chosen as (
    select
        ranked.*,
        is_pinned or (is_eligible and place <= {{ var('max_value_counters') }}) as is_chosen
    from ranked
),

final as (
    select event_name, property, kind, value, n_events, is_chosen
    from chosen
    where is_chosen or is_of_champion
)

select * from final
