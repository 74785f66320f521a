{# Inputs of the champions that can still be computed. Banned inputs are left out, and the next
   model is then promoted without a comparison. Grain: one row per feature_name. #}
{{ config(materialized='ephemeral') }}
with

of_champions as (
    select distinct
        taken.feature_name,
        taken.kind,
        taken.event_name,
        taken.property,
        case when taken.kept_values_hash is null then taken.value end as value,
        taken.kept_values_hash,
        taken.is_version,
        taken.week,
        case
            when taken.property is null
                then case when taken.event_name is null then 'any' else 'event' end
            when taken.kind = 'other_count' then 'other'
            when taken.kind <> 'value_count' then 'sum'
            when taken.is_version then 'version'
            else 'value'
        end as counter_kind
    from {{ ref('hourly_champion_features') }} as taken
    where coalesce(taken.week, 0) < {{ var('feature_weeks') }}
),

user_property_types as (
    select
        property,
        {{ kind_of_value('value_type') }} = 'version' as is_version,
        {{ is_user_property_ruled('types.property', 'null', is_ban=true) }} as is_banned
    from {{ ref('volume_user_property_types') }} as types
),

final as (
    select
        of_champions.feature_name, of_champions.kind, counters.counter_id, of_champions.event_name,
        of_champions.property, of_champions.value, of_champions.kept_values_hash,
        of_champions.is_version, of_champions.week
    from of_champions
    inner join {{ ref('hourly_counters') }} as counters
        on of_champions.counter_kind = counters.kind
        and of_champions.event_name is not distinct from counters.event_name
        and of_champions.property is not distinct from counters.property
        and coalesce(
            of_champions.value, cast(of_champions.kept_values_hash as {{ dbt.type_string() }})
        ) is not distinct from counters.value
        and counters.is_counted
    where
        of_champions.kind not like 'user_property_%'
        and not (
            of_champions.event_name is not null
            and {{ is_ruled('of_champions.event_name', is_ban=true) }}
        )
    union all
    select
        of_champions.feature_name, of_champions.kind, null as counter_id, of_champions.event_name,
        of_champions.property, of_champions.value, of_champions.kept_values_hash,
        of_champions.is_version, of_champions.week
    from of_champions
    inner join user_property_types as types
        on of_champions.property = types.property and of_champions.is_version = types.is_version
    where
        of_champions.kind like 'user_property_%'
        and not types.is_banned
        and not (
            of_champions.value is not null
            and {{ is_user_property_ruled(
                'of_champions.property', 'of_champions.value', is_ban=true
            ) }}
        )
)

select * from final
