{# Event properties before as_of: how much, what type, and how they feed models.
   Grain: one row per (event_name, property). #}
with

property_values as (
    select event_name, property, n_events, n_values, n_numbers, n_long
    from {{ ref('stg_value_volumes') }}
    where property is not null
),

summed as (
    select event_name, property
    from {{ ref('hourly_tokens') }}
    where kind = 'sum' and is_counted
),

counted as (
    select event_name, property, sum(case when is_kept then 1 else 0 end) as n_kept_values
    from {{ ref('taxonomy_property_values') }}
    group by event_name, property
),

queried as (
    select event_name, property, n_queries
    from {{ ref('stg_property_usage') }}
    where kind = 'event_property'
),

volumes as (
    select
        event_name,
        property,
        sum(n_events) as n_events,
        sum(n_values) as n_values,
        sum(n_numbers) as n_numbers,
        sum(n_long) as n_long
    from property_values
    group by event_name, property
),

described as (
    select
        volumes.*,
        case
            when volumes.n_numbers >= {{ var('min_numeric_share') }} * volumes.n_events
                then 'number'
            when volumes.n_long > 0.5 * volumes.n_events then 'text'
            when volumes.n_values > 20 and volumes.n_values > 0.5 * volumes.n_events
                then 'identifier'
            else 'category'
        end as value_type,
        summed.property is not null as is_summed,
        coalesce(counted.n_kept_values, 0) as n_kept_values,
        coalesce(queried.n_queries, 0) as n_queries
    from volumes
    left join summed
        on volumes.event_name = summed.event_name and volumes.property = summed.property
    left join counted
        on volumes.event_name = counted.event_name and volumes.property = counted.property
    left join queried
        on volumes.event_name = queried.event_name and volumes.property = queried.property
),

final as (
    select
        event_name,
        property,
        value_type,
        cast(n_events as bigint) as n_events,
        cast(n_values as bigint) as n_values,
        n_queries,
        row_number() over (order by n_events desc, event_name, property) as volume_rank,
        is_summed or n_kept_values > 0 as is_kept,
        is_summed,
        cast(n_kept_values as bigint) as n_kept_values,
        case
            when is_summed
                then 'number among the {{ var('max_sum_tokens') }} most queried or frequent: summed'
            when n_kept_values > 0
                then 'has values among the {{ var('max_value_tokens') }} most queried or frequent'
            when value_type = 'text' then 'long text'
            when value_type = 'identifier' then 'nearly every value is different'
            else 'no value is frequent enough'
        end as reason
    from described
)

select * from final
