{# Which values a feature of other values does not mean. Grain: one row per (event_name, property,
   other_than, value); event_name is NULL for a user property. other_than: the number of that set. #}
with

of_events as (
    select
        others.event_name,
        others.property,
        cast(others.value as bigint) as other_than,
        own.value
    from {{ ref('hourly_other_values') }} as members
    inner join {{ ref('hourly_tokens') }} as others on members.token_id = others.token_id
    inner join {{ ref('hourly_tokens') }} as own on members.value_token_id = own.token_id
),

of_users as (
    select
        cast(null as {{ dbt.type_string() }}) as event_name,
        own.property,
        others.other_than,
        own.value
    from {{ ref('taxonomy_user_properties') }} as others
    inner join {{ ref('taxonomy_user_properties') }} as own
        on others.property = own.property
        and own.kind in ('value', 'version')
        and own.is_kept
    where others.kind = 'other'
    union
    select event_name, property, other_than, value
    from {{ ref('hourly_champion_features') }}
    where event_name is null and other_than is not null
),

final as (
    select event_name, property, other_than, value from of_events
    union all
    select event_name, property, other_than, value from of_users
)

select * from final
