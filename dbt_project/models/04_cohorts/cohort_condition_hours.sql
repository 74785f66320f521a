{# What each condition of each prediction counts, by hour, before as_of. Grain: one row per
   (condition_id, identity_key, event_hour). Conditions without filters come from the rollup,
   conditions with filters from the events themselves: no cap on properties touches a definition. #}
with

conditions as (
    select condition_id, n_filters from {{ ref('prediction_conditions') }} where kind = 'count'
),

condition_events as (select condition_id, event_name from {{ ref('prediction_condition_events') }}),

filters as (select condition_id, property, value from {{ ref('prediction_condition_filters') }}),

tokens as (
    select token_id, kind, event_name
    from {{ ref('hourly_tokens') }}
    where kind in ('any', 'event')
),

hourly as (
    select identity_key, event_hour, token_id, n_events
    from {{ ref('hourly_user_events') }}
),

condition_tokens as (
    select conditions.condition_id, tokens.token_id
    from conditions
    inner join condition_events on conditions.condition_id = condition_events.condition_id
    inner join tokens
        on (tokens.kind = 'event' and tokens.event_name = condition_events.event_name)
        or (tokens.kind = 'any' and condition_events.event_name is null)
    where conditions.n_filters = 0
),

unfiltered as (
    select
        condition_tokens.condition_id,
        hourly.identity_key,
        hourly.event_hour,
        sum(hourly.n_events) as n_events
    from hourly
    inner join condition_tokens on hourly.token_id = condition_tokens.token_id
    group by condition_tokens.condition_id, hourly.identity_key, hourly.event_hour
),

filtered_names as (
    select conditions.condition_id, conditions.n_filters, tokens.event_name
    from conditions
    inner join condition_events on conditions.condition_id = condition_events.condition_id
    inner join tokens
        on tokens.kind = 'event'
        and (tokens.event_name = condition_events.event_name or condition_events.event_name is null)
    where conditions.n_filters > 0
),

candidates as (
    select
        filtered_names.condition_id,
        filtered_names.n_filters,
        events.identity_key,
        events.event_hour,
        events.event_name,
        events.event_properties,
        count(*) as n_events
    from {{ past_events() }} as events
    inner join filtered_names on events.event_name = filtered_names.event_name
    group by
        filtered_names.condition_id, filtered_names.n_filters, events.identity_key,
        events.event_hour, events.event_name, events.event_properties
),

matches as (
    select
        candidates.condition_id,
        candidates.n_filters,
        candidates.identity_key,
        candidates.event_hour,
        candidates.event_name,
        candidates.event_properties,
        candidates.n_events,
        count(distinct filters.property) as n_matched
    from candidates
    inner join filters on candidates.condition_id = filters.condition_id
    where {{ matches_value(
        json_value('candidates.event_properties', 'filters.property'), 'filters.value'
    ) }}
    group by
        candidates.condition_id, candidates.n_filters, candidates.identity_key,
        candidates.event_hour, candidates.event_name, candidates.event_properties,
        candidates.n_events
),

filtered as (
    select condition_id, identity_key, event_hour, sum(n_events) as n_events
    from matches
    where n_matched = n_filters
    group by condition_id, identity_key, event_hour
),

final as (
    select condition_id, identity_key, event_hour, cast(n_events as integer) as n_events
    from unfiltered
    union all
    select condition_id, identity_key, event_hour, cast(n_events as integer) as n_events
    from filtered
)

select * from final
