{# The kept values that each counter of other values excludes. Grain: one row per (counter_id,
   value_counter_id). For the current counter these are the values chosen now; for one that only a
   champion uses, the values it was trained with. #}
with

counters as (
    select counter_id, kind, event_name, property, value, is_chosen
    from {{ ref('hourly_counters') }}
    where is_counted and property is not null
),

sets as (
    select distinct event_name, property, value, is_version, kept_values_hash
    from {{ ref('model_features') }}
    where event_name is not null and kept_values_hash is not null
),

final as (
    select others.counter_id, own.counter_id as value_counter_id
    from counters as others
    inner join counters as own
        on others.event_name = own.event_name
        and others.property = own.property
        and own.kind in ('value', 'version')
        and own.is_chosen
    where others.kind = 'other' and others.is_chosen
    union all
    select others.counter_id, own.counter_id as value_counter_id
    from counters as others
    inner join sets
        on others.event_name = sets.event_name
        and others.property = sets.property
        and others.value = cast(sets.kept_values_hash as {{ dbt.type_string() }})
    inner join counters as own
        on sets.event_name = own.event_name
        and sets.property = own.property
        and sets.value = own.value
        and own.kind = case when sets.is_version then 'version' else 'value' end
    where others.kind = 'other' and not others.is_chosen
)

select * from final
