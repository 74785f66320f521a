{# Events counted by hour. Grain: one row per (identity_key, event_hour, token_id), before as_of.
   Keyed by the raw identity: who that is may be learned later (stg_identities). Any event is the
   sum of the event types, so it has no rows of its own. #}
with

tokens as (select token_id, kind, event_name, property, value from {{ ref('hourly_tokens') }}),

by_event as (
    select
        events.identity_key,
        events.event_hour,
        tokens.token_id,
        count(*) as n_events
    from {{ past_events() }} as events
    inner join tokens on events.event_name = tokens.event_name and tokens.kind = 'event'
    group by events.identity_key, events.event_hour, tokens.token_id
),

detailed_events as (
    select identity_key, event_hour, event_name, event_properties
    from {{ past_events() }} as events
    where event_name in (select tokens.event_name from tokens where tokens.kind in ('value', 'sum'))
),

pairs as (
    {{ json_pairs('detailed_events', 'event_properties', [
        'identity_key', 'event_hour', 'event_name',
    ]) }}
),

by_value as (
    select
        pairs.identity_key,
        pairs.event_hour,
        tokens.token_id,
        count(*) as n_events
    from pairs
    inner join tokens
        on pairs.event_name = tokens.event_name
        and pairs.property = tokens.property
        and pairs.value = tokens.value
        and tokens.kind = 'value'
    group by pairs.identity_key, pairs.event_hour, tokens.token_id
),

by_sum as (
    select
        pairs.identity_key,
        pairs.event_hour,
        tokens.token_id,
        count(*) as n_events,
        sum({{ to_number('pairs.value') }}) as value_sum
    from pairs
    inner join tokens
        on pairs.event_name = tokens.event_name
        and pairs.property = tokens.property
        and tokens.kind = 'sum'
    group by pairs.identity_key, pairs.event_hour, tokens.token_id
),

counted as (
    select identity_key, event_hour, token_id, n_events, null as value_sum from by_event
    union all
    select identity_key, event_hour, token_id, n_events, null as value_sum from by_value
    union all
    select identity_key, event_hour, token_id, n_events, value_sum from by_sum
),

final as (
    select
        identity_key,
        event_hour,
        token_id,
        cast(n_events as integer) as n_events,
        cast(value_sum as decimal(38, 6)) as value_sum
    from counted
    order by identity_key, event_hour, token_id
)

select * from final
