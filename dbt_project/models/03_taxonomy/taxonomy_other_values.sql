{# The kept values that each feature of other values excludes. Grain: one row per (event_name,
   property, kept_values_hash, value); event_name is NULL for a user property. kept_values_hash: a
   hash of the kept values. #}
with

of_events as (
    select
        others.event_name,
        others.property,
        cast(others.value as bigint) as kept_values_hash,
        own.value
    from {{ ref('hourly_other_values') }} as members
    inner join {{ ref('hourly_counters') }} as others on members.counter_id = others.counter_id
    inner join {{ ref('hourly_counters') }} as own on members.value_counter_id = own.counter_id
),

of_users as (
    select
        cast(null as {{ dbt.type_string() }}) as event_name,
        own.property,
        others.kept_values_hash,
        own.value
    from {{ ref('taxonomy_user_properties') }} as others
    inner join {{ ref('taxonomy_user_properties') }} as own
        on others.property = own.property
        and own.kind in ('value', 'version')
        and own.is_kept
    where others.kind = 'other'
    union
    select event_name, property, kept_values_hash, value
    from {{ ref('hourly_champion_features') }}
    where event_name is null and kept_values_hash is not null
),

final as (
    select event_name, property, kept_values_hash, value from of_events
    union all
    select event_name, property, kept_values_hash, value from of_users
)

select * from final
