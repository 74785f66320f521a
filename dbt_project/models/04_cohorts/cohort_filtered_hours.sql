{# Hourly counts of measures that the rollup does not have, before as_of: events with filters, sums
   of a property, and hours in which a user property was set. Grain: one row per (measure_id,
   identity_key, event_hour). Read from the events themselves, so limits on counted properties do
   not affect definitions. Measures without filters read the rollup instead (measure_hours). #}
with

measures as (
    select measure_id, kind, n_filters, min(condition_id) as condition_id
    from {{ ref('prediction_conditions') }}
    where (kind = 'count' and n_filters > 0) or kind in ('sum', 'change')
    group by measure_id, kind, n_filters
),

filters as (
    select condition_id, property, value, min_value, max_value
    from {{ ref('prediction_condition_filters') }}
),

names as (
    select
        measures.measure_id, measures.condition_id, counters.event_name,
        summed.property as summed
    from measures
    inner join {{ ref('prediction_condition_events') }} as condition_events
        on measures.condition_id = condition_events.condition_id
    inner join {{ ref('hourly_counters') }} as counters
        on counters.kind = 'event'
        and (
            counters.event_name = condition_events.event_name or condition_events.event_name is null
        )
    left join filters as summed
        on measures.kind = 'sum'
        and measures.condition_id = summed.condition_id
        and summed.value is null
        and coalesce(summed.min_value, summed.max_value) is null
),

candidates as (
    select
        names.measure_id,
        names.condition_id,
        names.summed,
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
        candidates.summed,
        candidates.identity_key,
        candidates.event_hour,
        candidates.event_name,
        candidates.event_properties,
        candidates.n_events,
        count(distinct filters.property) as n_matched
    from candidates
    left join filters
        on candidates.condition_id = filters.condition_id
        and {{ matches_value(
            json_value('candidates.event_properties', 'filters.property'), 'filters'
        ) }}
    group by all
),

amounts as (
    select
        matches.measure_id,
        matches.identity_key,
        matches.event_hour,
        matches.n_events,
        matches.summed is not null as is_sum,
        matches.n_events
        * {{ to_number(json_value('matches.event_properties', 'matches.summed')) }} as amount
    from matches
    inner join measures
        on matches.measure_id = measures.measure_id and matches.n_matched = measures.n_filters
),

changes as (
    select distinct measures.measure_id, statements.identity_key, statements.event_hour
    from {{ ref('stg_user_properties') }} as statements
    inner join {{ ref('stg_as_of') }} as now on statements.event_hour < now.as_of_hour
    inner join filters on statements.property = filters.property
    inner join measures
        on filters.condition_id = measures.condition_id and measures.kind = 'change'
    where {{ matches_value('statements.value', 'filters') }}
),

final as (
    select
        measure_id,
        identity_key,
        event_hour,
        cast(sum(n_events) as integer) as n_events,
        cast(sum(amount) as decimal(38, 6)) as amount
    from amounts
    where not is_sum or amount is not null
    group by measure_id, identity_key, event_hour
    union all
    select measure_id, identity_key, event_hour, 1 as n_events, null as amount from changes
)

select * from final
