{# All possible model inputs in one table for review: event types, event properties and their
   values, user properties and their values, with why each is kept or not, and the most related
   outcome. Before as_of. Grain: one row per (kind, event_name, property, value). Controlled by pins
   and bans (docs/taxonomy.md). Built last, since it reads labels; no input is chosen by it. #}
{{ config(tags=['daily']) }}
with

event_types as (select * from {{ ref('taxonomy_event_types') }}),

event_properties as (select * from {{ ref('taxonomy_event_properties') }}),

property_values as (select * from {{ ref('taxonomy_property_values') }}),

user_properties as (select * from {{ ref('taxonomy_user_properties') }}),

queried as (
    select kind, property, sum(n_queries) as n_queries
    from {{ ref('volume_property_usage') }}
    group by kind, property
),

listed as (
    select
        'event type' as kind, event_name, null as property, null as value, null as value_type,
        n_events, n_users, null as n_values, n_queries,
        first_seen_at, last_seen_at, volume_rank, is_kept, reason
    from event_types
    union all
    select
        'event property' as kind, event_name, property, null as value, value_type,
        n_events, n_users, n_values, n_queries,
        first_seen_at, last_seen_at, volume_rank, is_kept, reason
    from event_properties
    union all
    select
        case when counted.kind = 'other' then 'other values' else 'property value' end as kind,
        counted.event_name, counted.property, counted.value,
        event_properties.value_type, counted.n_events, counted.n_users, null as n_values,
        event_properties.n_queries, counted.first_seen_at, counted.last_seen_at,
        counted.volume_rank, counted.is_kept, counted.reason
    from property_values as counted
    inner join event_properties
        on counted.event_name = event_properties.event_name
        and counted.property = event_properties.property
    union all
    select
        'user property' as kind, null as event_name, types.property, null as value,
        types.value_type, null as n_events, types.n_users, types.n_values,
        coalesce(queried.n_queries, 0) as n_queries,
        {{ hour_start('types.first_hour') }} as first_seen_at,
        {{ hour_start('types.last_hour') }} as last_seen_at,
        row_number() over (order by types.n_users desc, types.property) as volume_rank,
        stated.is_kept, stated.reason
    from {{ ref('volume_user_property_types') }} as types
    inner join (
        select
            property,
            bool_or(is_kept) as is_kept,
            {{ value_at_min(
                'reason', "(not is_kept, kind = 'other', kind <> 'number', volume_rank)"
            ) }} as reason
        from user_properties
        group by property
    ) as stated
        on types.property = stated.property
    left join queried on types.property = queried.property and queried.kind = 'user_property'
    union all
    select
        case when kind = 'other' then 'other user property values' else 'user property value' end
            as kind,
        null as event_name, property, value, value_type,
        null as n_events, n_users, null as n_values, null as n_queries,
        first_seen_at, last_seen_at, volume_rank, is_kept, reason
    from user_properties
    where kind <> 'number'
),

-- A property gets the strongest relation among its values and its sum.
relations as (
    select
        listed.kind,
        listed.event_name,
        listed.property,
        listed.value,
        {{ value_at_max('related.prediction', '(abs(related.z_score), related.prediction)') }}
            as related_prediction,
        {{ value_at_max('related.odds_ratio', '(abs(related.z_score), related.prediction)') }}
            as odds_ratio,
        {{ value_at_max('related.z_score', '(abs(related.z_score), related.prediction)') }}
            as z_score
    from listed
    inner join {{ ref('outcome_relations') }} as related
        on listed.event_name is not distinct from related.event_name
        and listed.property is not distinct from related.property
        and (listed.value = related.value or listed.value is null)
    where listed.is_kept and listed.kind not in ('other values', 'other user property values')
    group by listed.kind, listed.event_name, listed.property, listed.value
),

final as (
    select
        listed.kind,
        listed.event_name,
        listed.property,
        listed.value,
        listed.value_type,
        cast(listed.n_events as bigint) as n_events,
        cast(listed.n_users as bigint) as n_users,
        cast(listed.n_values as bigint) as n_values,
        cast(listed.n_queries as bigint) as n_queries,
        listed.first_seen_at,
        listed.last_seen_at,
        relations.related_prediction,
        relations.odds_ratio,
        relations.z_score,
        cast(listed.volume_rank as bigint) as volume_rank,
        listed.is_kept,
        listed.reason
    from listed
    left join relations
        on listed.kind = relations.kind
        and listed.event_name is not distinct from relations.event_name
        and listed.property is not distinct from relations.property
        and listed.value is not distinct from relations.value
)

select * from final
