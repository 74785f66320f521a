{# The counter in features_days that holds the days of an outcome's measure: the measure's own
   counter, or that of its event type. Grain: one row per (measure_id, counter_id). #}
{{ config(materialized='ephemeral') }}
with

measured as (
    select measure_id, counter_id from {{ ref('prediction_measures') }} where kind = 'measure'
),

-- A measure of any event adds up all event types: their sum has a counter.
any_event as (
    select conditions.measure_id, counters.counter_id
    from {{ ref('prediction_conditions') }} as conditions
    inner join {{ ref('prediction_condition_events') }} as named
        on conditions.condition_id = named.condition_id and named.event_name is null
    inner join {{ ref('hourly_counters') }} as counters on counters.kind = 'any'
    where conditions.n_filters = 0 and conditions.kind = 'count'
),

final as (
    select measure_id, counter_id from measured
    union
    select measure_id, counter_id from any_event
    union
    select plain.measure_id, plain.counter_id
    from {{ ref('cohort_measure_counters') }} as plain
    where
        plain.measure_id not in (select measured.measure_id from measured)
        and plain.measure_id not in (select any_event.measure_id from any_event)
)

select * from final
