{# Counters of the hourly rollup that a measure without filters adds up; any event is all event
   types. Grain: one row per (measure_id, counter_id). #}
-- Runs after the checks that refuse names that never occur.
-- depends_on: {{ ref('cohort_unknown_events') }}, {{ ref('cohort_unknown_properties') }}
with

measures as (
    select measure_id, min(condition_id) as condition_id
    from {{ ref('prediction_conditions') }}
    where kind = 'count' and n_filters = 0
    group by measure_id
),

final as (
    select measures.measure_id, counters.counter_id
    from measures
    inner join {{ ref('prediction_condition_events') }} as condition_events
        on measures.condition_id = condition_events.condition_id
    inner join {{ ref('hourly_counters') }} as counters
        on counters.kind = 'event'
        and (
            counters.event_name = condition_events.event_name or condition_events.event_name is null
        )
)

select * from final
