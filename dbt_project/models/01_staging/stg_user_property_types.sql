{# What kind of values each user property has before as_of, by how they look and how many there are,
   and how many identities ever had it. Grain: one row per property. Unset, long values are none. #}
{{ config(tags=['daily']) }}
with

changes as (
    select stated.property, stated.value, stated.identity_key, stated.event_hour
    from {{ ref('stg_user_properties') }} as stated
    inner join {{ ref('stg_as_of') }} as now on stated.event_hour < now.as_of_hour
    where stated.value is not null and length(stated.value) <= {{ var('max_value_characters') }}
),

property_values as (select distinct property, value from changes),

looks as (
    select
        property,
        count(*) as n_values,
        sum(case when {{ to_number('value') }} is not null then 1 else 0 end) as n_numbers,
        bool_and({{ is_boolean('value') }}) as is_boolean,
        bool_and({{ is_date('value') }}) as is_date,
        bool_and({{ is_version('value') }}) as is_version
    from property_values
    group by property
),

users as (
    select
        property,
        count(distinct identity_key) as n_users,
        min(event_hour) as first_hour,
        max(event_hour) as last_hour
    from changes
    group by property
),

final as (
    select
        looks.property,
        case
            when looks.is_boolean then 'boolean'
            when looks.is_date then 'date'
            when looks.n_numbers >= {{ var('min_numeric_share') }} * looks.n_values then 'number'
            when looks.is_version then 'version'
            when looks.n_values > {{ var('max_user_property_values') }} then 'identifier'
            else 'category'
        end as value_type,
        looks.n_values,
        users.n_users,
        users.first_hour,
        users.last_hour
    from looks
    inner join users on looks.property = users.property
)

select * from final
