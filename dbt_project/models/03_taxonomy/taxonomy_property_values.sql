{# Property values before as_of: those that the hourly rollup counts, and the most frequent of the
   rest of each property, with the reason why they are model input or not. Grain: one row per
   (event_name, property, kind, value); kind other is one row for all values of the property that
   are not counted. #}
with

types as (select event_name, property, value_type from {{ ref('volume_property_types') }}),

event_types as (select event_name, n_events from {{ ref('hourly_counters') }} where kind = 'event'),

counters as (
    select counter_id, event_name, property, kind, value, n_events, is_chosen
    from {{ ref('hourly_counters') }}
    where kind in ('value', 'version', 'other') and is_counted
),

volumes as (
    select
        volumes.event_name,
        volumes.property,
        {{ kind_of_value('types.value_type') }} as kind,
        {{ counted_value(kind_of_value('types.value_type'), 'volumes.value') }} as value,
        sum(volumes.n_events) as n_events,
        min(volumes.first_day) as first_day,
        max(volumes.last_day) as last_day
    from {{ ref('volume_values') }} as volumes
    inner join types
        on volumes.event_name = types.event_name and volumes.property = types.property
    where volumes.value is not null
    group by all
),

single as (
    select
        volumes.*,
        counters.counter_id,
        counters.is_chosen,
        row_number() over (
            partition by volumes.event_name, volumes.property
            order by volumes.n_events desc, volumes.value
        ) as place
    from volumes
    left join counters
        on volumes.event_name = counters.event_name
        and volumes.property = counters.property
        and volumes.kind = counters.kind
        and volumes.value = counters.value
),

listed as (
    select
        counter_id, is_chosen, event_name, property, kind, value,
        cast(null as bigint) as kept_values_hash,
        n_events, first_day, last_day
    from single
    where counter_id is not null or place <= {{ var('max_listed_values') }}
    union all
    select
        counters.counter_id, counters.is_chosen, counters.event_name, counters.property,
        counters.kind,
        null as value, cast(counters.value as bigint) as kept_values_hash,
        counters.n_events, days.first_day, days.last_day
    from counters
    left join (
        select
            event_name, property,
            min(first_day) as first_day,
            max(last_day) as last_day
        from single
        where not coalesce(is_chosen, false)
        group by event_name, property
    ) as days
        on counters.event_name = days.event_name and counters.property = days.property
    where counters.kind = 'other' and counters.is_chosen
),

described as (
    select
        listed.*,
        users.n_users,
        types.value_type,
        1e0 * listed.n_events / event_types.n_events as event_share,
        {{ is_ruled('listed.event_name', 'listed.property', 'listed.value', is_ban=false) }}
            as is_pinned,
        {{ is_ruled('listed.event_name', 'listed.property', 'listed.value', is_ban=true) }}
            as is_banned
    from listed
    inner join types
        on listed.event_name = types.event_name and listed.property = types.property
    inner join event_types on listed.event_name = event_types.event_name
    left join {{ ref('taxonomy_value_users') }} as users
        on listed.event_name = users.event_name
        and listed.property = users.property
        and listed.kind = users.kind
        and listed.value is not distinct from users.value
),

final as (
    select
        counter_id,
        event_name,
        property,
        kind,
        value,
        kept_values_hash,
        cast(n_events as bigint) as n_events,
        n_users,
        event_share,
        {{ day_start('first_day') }} as first_seen_at,
        {{ day_start('last_day') }} as last_seen_at,
        cast(
            row_number() over (order by n_events desc, event_name, property, kind, value) as bigint
        ) as volume_rank,
        coalesce(is_chosen, false) and (event_share < {{ var('max_value_share') }} or is_pinned)
            as is_kept,
        case
            when not is_chosen then 'left out: only an earlier champion still uses it'
            when counter_id is not null and is_pinned then 'pinned'
            when counter_id is not null and event_share >= {{ var('max_value_share') }}
                then 'on nearly every event of this type: adds nothing to the event'
            when kind = 'other' then 'all other values of the property together'
            when counter_id is not null
                then 'among the {{ var('max_value_counters') }} most queried or frequent'
            when is_banned then 'banned'
            when value_type in ('identifier', 'text', 'date')
                then 'the property is left out: ' || value_type
            when event_share < {{ var('min_value_share') }}
                then 'rare: on less than {{ 100 * var('min_value_share') }} % of the events'
            when value_type = 'number' then 'the property is a number: summed, not counted by value'
            else 'not among the {{ var('max_value_counters') }} most queried or frequent'
        end as reason
    from described
)

select * from final
