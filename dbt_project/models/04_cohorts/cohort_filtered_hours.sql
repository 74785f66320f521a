{# What measures with filters count, by hour, before as_of. Grain: one row per (measure_id,
   identity_key, event_hour). From the events themselves: no cap on properties touches a definition.
   Measures without filters read the rollup instead (measure_hours). #}
with

measures as (
    select measure_id, n_filters, min(condition_id) as condition_id
    from {{ ref('prediction_conditions') }}
    where kind = 'count' and n_filters > 0
    group by measure_id, n_filters
),

filters as (select condition_id, property, value from {{ ref('prediction_condition_filters') }}),

names as (
    select measures.measure_id, measures.condition_id, measures.n_filters, tokens.event_name
    from measures
    inner join {{ ref('prediction_condition_events') }} as condition_events
        on measures.condition_id = condition_events.condition_id
    inner join {{ ref('hourly_tokens') }} as tokens
        on tokens.kind = 'event'
        and (
            tokens.event_name = condition_events.event_name or condition_events.event_name is null
        )
),

candidates as (
    select
        names.measure_id,
        names.condition_id,
        names.n_filters,
        events.identity_key,
        events.event_hour,
        events.event_name,
        events.event_properties,
        count(*) as n_events
    from {{ past_events() }} as events
    inner join names on events.event_name = names.event_name
    group by all
),

matches as (
    select
        candidates.measure_id,
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
        candidates.measure_id, candidates.n_filters, candidates.identity_key,
        candidates.event_hour, candidates.event_name, candidates.event_properties,
        candidates.n_events
),

final as (
    select measure_id, identity_key, event_hour, cast(sum(n_events) as integer) as n_events
    from matches
    where n_matched = n_filters
    group by measure_id, identity_key, event_hour
)

select * from final
