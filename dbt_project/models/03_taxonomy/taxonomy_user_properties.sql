{# Values of user properties before as_of, and whether they feed models.
   Grain: one row per (property, value); volume is users who ever had it. #}
{%- set max_distinct = var('max_user_property_values') -%}
{%- set max_kept = var('max_values_per_user_property') -%}
with

changes as (
    select stated.property, stated.value, stated.identity_key
    from {{ ref('stg_user_properties') }} as stated
    inner join {{ ref('stg_as_of') }} as now on stated.event_hour < now.as_of_hour
    where stated.value is not null and length(stated.value) <= {{ var('max_value_characters') }}
),

volumes as (
    select property, value, count(distinct identity_key) as n_users
    from changes
    group by property, value
),

ranked as (
    select
        volumes.*,
        count(*) over (partition by property) as n_values,
        row_number() over (partition by property order by n_users desc, value) as volume_rank
    from volumes
),

final as (
    select
        property,
        value,
        cast(n_users as bigint) as n_users,
        n_values,
        volume_rank,
        n_values <= {{ max_distinct }} and volume_rank <= {{ max_kept }} as is_kept,
        case
            when n_values > {{ max_distinct }}
                then 'more than {{ max_distinct }} distinct values: an identifier or text'
            when volume_rank <= {{ max_kept }}
                then 'among the {{ max_kept }} most frequent of its property'
            else 'not among the {{ max_kept }} most frequent of its property'
        end as reason
    from ranked
)

select * from final
