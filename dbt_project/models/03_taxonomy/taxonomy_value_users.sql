{# Number of identities with each event property, and with each of its values, before as_of: counted
   in a sample (volume_user_sample) and scaled up. Grain: one row per (event_name, property, kind,
   value) as in taxonomy_property_values, plus one of kind property for the property itself. #}
with

sampled as (
    select
        users.identity_key,
        users.event_name,
        users.property,
        {{ kind_of_value('types.value_type') }} as kind,
        {{ counted_value(kind_of_value('types.value_type'), 'users.value') }} as value
    from {{ ref('volume_value_users') }} as users
    inner join {{ ref('stg_as_of') }} as now on users.first_hour < now.as_of_hour
    inner join {{ ref('volume_property_types') }} as types
        on users.event_name = types.event_name and users.property = types.property
),

counters as (
    select event_name, property, kind, value
    from {{ ref('hourly_counters') }}
    where kind in ('value', 'version', 'other') and is_chosen
),

counted as (
    select
        event_name, property, 'property' as kind, cast(null as {{ dbt.type_string() }}) as value,
        count(distinct identity_key) as n_sampled
    from sampled
    group by event_name, property
    union all
    select event_name, property, kind, value, count(distinct identity_key) as n_sampled
    from sampled
    where value is not null
    group by event_name, property, kind, value
    union all
    select
        sampled.event_name, sampled.property, 'other' as kind, null as value,
        count(distinct sampled.identity_key) as n_sampled
    from sampled
    inner join counters as others
        on sampled.event_name = others.event_name
        and sampled.property = others.property
        and others.kind = 'other'
    left join counters as named
        on sampled.event_name = named.event_name
        and sampled.property = named.property
        and sampled.kind = named.kind
        and sampled.value = named.value
    where named.value is null
    group by sampled.event_name, sampled.property
),

final as (
    select
        counted.event_name,
        counted.property,
        counted.kind,
        counted.value,
        counted.n_sampled * sample.step as n_users
    from counted
    cross join {{ ref('volume_user_sample') }} as sample
)

select * from final
