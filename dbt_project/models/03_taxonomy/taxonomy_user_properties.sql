{# Values of user properties before as_of, and whether they feed models.
   Grain: one row per (property, value); volume is users who ever had it. #}
{%- set max_distinct = var('max_user_property_values') -%}
{%- set max_kept = var('max_values_per_user_property') -%}
with

changes as (
    select stated.property, stated.value, stated.identity_key, stated.event_hour
    from {{ ref('stg_user_properties') }} as stated
    inner join {{ ref('stg_as_of') }} as now on stated.event_hour < now.as_of_hour
    where stated.value is not null and length(stated.value) <= {{ var('max_value_characters') }}
),

volumes as (
    select
        property,
        value,
        count(distinct identity_key) as n_users,
        min(event_hour) as first_hour,
        max(event_hour) as last_hour,
        {{ is_boolean('value') }} as is_boolean,
        {{ is_date('value') }} as is_date,
        {{ is_version('value') }} as is_version,
        {{ to_number('value') }} is not null as is_number
    from changes
    group by property, value
),

ranked as (
    select
        volumes.*,
        count(*) over (partition by property) as n_values,
        case
            when bool_and(is_boolean) over (partition by property) then 'boolean'
            when bool_and(is_date) over (partition by property) then 'date'
            when bool_and(is_number) over (partition by property) then 'number'
            when bool_and(is_version) over (partition by property) then 'version'
            else 'category'
        end as value_type,
        row_number() over (partition by property order by n_users desc, value) as volume_rank,
        {{ is_user_property_ruled('volumes.property', 'volumes.value', is_ban=false) }}
            as is_pinned,
        {{ is_user_property_ruled('volumes.property', 'volumes.value', is_ban=true) }} as is_banned
    from volumes
),

final as (
    select
        property,
        value,
        case
            when n_values > {{ max_distinct }} and value_type = 'category' then 'identifier'
            else value_type
        end as value_type,
        cast(n_users as bigint) as n_users,
        n_values,
        {{ hour_start('first_hour') }} as first_seen_at,
        {{ hour_start('last_hour') }} as last_seen_at,
        volume_rank,
        not is_banned
        and (
            is_pinned
            or (
                n_values <= {{ max_distinct }}
                and volume_rank <= {{ max_kept }}
                and value_type <> 'date'
            )
        ) as is_kept,
        case
            when is_banned then 'banned'
            when is_pinned then 'pinned'
            when value_type = 'date' then 'date: every day has another'
            when n_values > {{ max_distinct }}
                then 'more than {{ max_distinct }} distinct values: an identifier or text'
            when volume_rank <= {{ max_kept }}
                then 'among the {{ max_kept }} most frequent of its property'
            else 'not among the {{ max_kept }} most frequent of its property'
        end as reason
    from ranked
)

select * from final
