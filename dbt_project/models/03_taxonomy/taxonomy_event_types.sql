{# Event types before as_of: how much, by whom, and whether they feed models. Grain: one row per
   event type. Kept: the max_event_types largest, and every one that a definition names. #}
with

tokens as (select token_id, event_name from {{ ref('hourly_tokens') }} where kind = 'event'),

-- Two steps: grouping by user first costs a third of counting distinct users.
by_user as (
    select
        token_id,
        identity_key,
        sum(n_events) as n_events,
        min(event_hour) as first_hour,
        max(event_hour) as last_hour
    from {{ past_hours() }} as past
    group by token_id, identity_key
),

named as (
    select distinct event_name
    from {{ ref('prediction_condition_events') }}
    where event_name is not null
),

queried as (
    select event_name, n_queries
    from {{ ref('stg_property_usage') }}
    where kind = 'event_type'
),

volumes as (
    select
        tokens.token_id,
        tokens.event_name,
        sum(by_user.n_events) as n_events,
        count(*) as n_users,
        min(by_user.first_hour) as first_hour,
        max(by_user.last_hour) as last_hour
    from tokens
    inner join by_user on tokens.token_id = by_user.token_id
    group by tokens.token_id, tokens.event_name
),

ranked as (
    select
        volumes.*,
        row_number() over (order by volumes.n_events desc, volumes.event_name) as volume_rank,
        named.event_name is not null as is_named,
        coalesce(queried.n_queries, 0) as n_queries
    from volumes
    left join named on volumes.event_name = named.event_name
    left join queried on volumes.event_name = queried.event_name
),

final as (
    select
        token_id,
        event_name,
        cast(n_events as bigint) as n_events,
        cast(n_users as bigint) as n_users,
        n_queries,
        {{ hour_start('first_hour') }} as first_seen_at,
        {{ hour_start('last_hour') }} as last_seen_at,
        volume_rank,
        volume_rank <= {{ var('max_event_types') }} or is_named as is_kept,
        case
            when is_named then 'named in a definition'
            when volume_rank <= {{ var('max_event_types') }}
                then 'among the {{ var('max_event_types') }} most frequent'
            else 'not among the {{ var('max_event_types') }} most frequent'
        end as reason
    from ranked
)

select * from final
