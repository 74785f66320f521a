{# The type of each user property's values before as_of, from their form and number, and how many
   identities ever had the property. Grain: one row per property. Unset and long values are not
   counted. Numbers that name things (a branch, a zip code) are categories, not amounts: code_reason
   gives the reason. #}
{{ config(tags=['daily']) }}
with

changes as (
    select stated.property, stated.value, stated.identity_key, stated.event_hour
    from {{ ref('stg_user_properties') }} as stated
    inner join {{ ref('stg_as_of') }} as now on stated.event_hour < now.as_of_hour
    where stated.value is not null and length(stated.value) <= {{ var('max_value_characters') }}
),

property_values as (select distinct property, value from changes),

named as (
    select property, bool_or(is_value_named) as is_value_named
    from {{ ref('prediction_properties') }}
    where event_name is null
    group by property
),

looks as (
    select
        property,
        count(*) as n_values,
        sum(case when {{ to_number('value') }} is not null then 1 else 0 end) as n_numbers,
        bool_and({{ is_boolean('value') }}) as is_boolean,
        bool_and({{ is_date('value') }}) as is_date,
        bool_and({{ is_version('value') }}) as is_version,
        bool_and({{ is_whole('value') }}) as is_whole,
        min(length(value)) as min_characters,
        max(length(value)) as max_characters
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

decided as (
    select
        looks.*,
        case
            when looks.n_numbers < {{ var('min_numeric_share') }} * looks.n_values then null
            when named.is_value_named then 'a definition names one of its values'
            when {{ is_name_of_codes('looks.property') }}
                then 'its name ends like that of an id, a code or a number'
            when
                looks.is_whole
                and looks.min_characters = looks.max_characters and looks.min_characters >= 4
                and users.n_users >= 5 * looks.n_values
                then 'whole numbers of one length that many users share'
        end as code_reason
    from looks
    inner join users on looks.property = users.property
    left join named on looks.property = named.property
),

final as (
    select
        looks.property,
        case
            when looks.is_boolean then 'boolean'
            when looks.is_date then 'date'
            when
                looks.n_numbers >= {{ var('min_numeric_share') }} * looks.n_values
                and looks.code_reason is null
                then 'number'
            when looks.is_version then 'version'
            when looks.n_values > {{ var('max_user_property_values') }} then 'identifier'
            else 'category'
        end as value_type,
        looks.code_reason,
        looks.n_values,
        users.n_users,
        users.first_hour,
        users.last_hour
    from decided as looks
    inner join users on looks.property = users.property
)

select * from final
