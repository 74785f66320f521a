{# Event types before as_of: their volume, their users, and whether they are model input. Grain: one
   row per event type. Kept: the max_event_types largest, all that a definition names, and pinned
   ones, unless banned. #}
with

counters as (select counter_id, event_name from {{ ref('hourly_counters') }} where kind = 'event'),

by_counter as (
    select
        counter_id,
        sum(n_events) as n_events,
        min(event_hour) as first_hour,
        max(event_hour) as last_hour
    from {{ past_hours() }} as past
    group by counter_id
),

-- Which of 31 counters an identity has, as bits of one number: counting users by these costs a
-- quarter of counting distinct pairs.
counter_sets as (
    select
        identity_key,
        {{ floor_divide('counter_id', 31) }} as counter_group,
        bit_or({{ bit_flag('counter_id % 31') }}) as flags
    from {{ past_hours() }} as past
    group by identity_key, {{ floor_divide('counter_id', 31) }}
),

users as (
    select counters.counter_id, count(*) as n_users
    from counters
    inner join counter_sets
        on counter_sets.counter_group = {{ floor_divide('counters.counter_id', 31) }}
    where counter_sets.flags & {{ bit_flag('counters.counter_id % 31') }} <> 0
    group by counters.counter_id
),

named as (
    select distinct event_name
    from {{ ref('prediction_condition_events') }}
    where event_name is not null
),

queried as (
    select event_name, n_queries
    from {{ ref('volume_property_usage') }}
    where kind = 'event_type'
),

volumes as (
    select
        counters.counter_id,
        counters.event_name,
        by_counter.n_events,
        users.n_users,
        by_counter.first_hour,
        by_counter.last_hour
    from counters
    inner join by_counter on counters.counter_id = by_counter.counter_id
    inner join users on counters.counter_id = users.counter_id
),

ranked as (
    select
        volumes.*,
        cast(row_number() over (order by volumes.n_events desc, volumes.event_name) as bigint)
            as volume_rank,
        named.event_name is not null as is_named,
        coalesce(queried.n_queries, 0) as n_queries,
        {{ is_ruled('volumes.event_name', is_ban=false) }} as is_pinned,
        {{ is_ruled('volumes.event_name', is_ban=true) }} as is_banned
    from volumes
    left join named on volumes.event_name = named.event_name
    left join queried on volumes.event_name = queried.event_name
),

final as (
    select
        counter_id,
        event_name,
        cast(n_events as bigint) as n_events,
        cast(n_users as bigint) as n_users,
        n_queries,
        {{ hour_start('first_hour') }} as first_seen_at,
        {{ hour_start('last_hour') }} as last_seen_at,
        volume_rank,
        not is_banned
        and (volume_rank <= {{ var('max_event_types') }} or is_named or is_pinned) as is_kept,
        case
            when is_banned then 'banned'
            when is_pinned then 'pinned'
            when is_named then 'named in a definition'
            when volume_rank <= {{ var('max_event_types') }}
                then 'among the {{ var('max_event_types') }} most frequent'
            else 'not among the {{ var('max_event_types') }} most frequent'
        end as reason
    from ranked
)

select * from final
