{# Event properties before as_of: their volume, their type, and whether and how they are model
   input. Grain: one row per (event_name, property). #}
with

types as (
    select event_name, property, value_type, code_reason, n_events, n_values, first_day, last_day
    from {{ ref('volume_property_types') }}
),

summed as (
    select event_name, property
    from {{ ref('hourly_counters') }}
    where kind = 'sum' and is_chosen
),

counted as (
    select event_name, property, sum(case when is_kept then 1 else 0 end) as n_kept_values
    from {{ ref('taxonomy_property_values') }}
    where kind <> 'other'
    group by event_name, property
),

queried as (
    select event_name, property, n_queries
    from {{ ref('volume_property_usage') }}
    where kind = 'event_property'
),

users as (
    select event_name, property, n_users
    from {{ ref('taxonomy_value_users') }}
    where kind = 'property'
),

described as (
    select
        types.*,
        users.n_users,
        summed.property is not null as is_summed,
        coalesce(counted.n_kept_values, 0) as n_kept_values,
        coalesce(queried.n_queries, 0) as n_queries,
        {{ is_ruled('types.event_name', 'types.property', is_ban=false) }} as is_pinned,
        {{ is_ruled('types.event_name', 'types.property', is_ban=true) }} as is_banned
    from types
    left join summed
        on types.event_name = summed.event_name and types.property = summed.property
    left join counted
        on types.event_name = counted.event_name and types.property = counted.property
    left join queried
        on types.event_name = queried.event_name and types.property = queried.property
    left join users
        on types.event_name = users.event_name and types.property = users.property
),

final as (
    select
        event_name,
        property,
        value_type,
        code_reason,
        n_events,
        n_users,
        n_values,
        n_queries,
        {{ day_start('first_day') }} as first_seen_at,
        {{ day_start('last_day') }} as last_seen_at,
        cast(row_number() over (order by n_events desc, event_name, property) as bigint)
            as volume_rank,
        is_summed or n_kept_values > 0 as is_kept,
        is_summed,
        cast(n_kept_values as bigint) as n_kept_values,
        case
            when is_banned then 'banned'
            when is_summed and is_pinned then 'pinned number: summed'
            when is_summed
                then
                    'number among the {{ var('max_sum_counters') }} most queried or frequent:'
                    || ' summed'
            when n_kept_values > 0 and is_pinned then 'pinned: has values that are frequent enough'
            when n_kept_values > 0
                then 'has values among the {{ var('max_value_counters') }} most queried or frequent'
            when value_type = 'text' then 'text: long, or several words'
            when value_type = 'identifier'
                then 'identifier: its values occur once, or on one day only'
            when value_type = 'date' then 'date: new values every day'
            when value_type = 'number'
                then 'number, not among the {{ var('max_sum_counters') }} most queried or frequent'
            else 'no value is frequent enough'
        end || coalesce('; a code, no amount: ' || code_reason, '') as reason
    from described
)

select * from final
