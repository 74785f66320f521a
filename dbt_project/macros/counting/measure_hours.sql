{# Hourly counts of each measure, as a FROM item with (measure_id, identity_key, event_hour, n_events, amount):
   from the rollup, or with filters from the events. amount: of sums, else NULL. #}
{% macro measure_hours() %}
(
    select
        measures.measure_id,
        hourly.identity_key,
        hourly.event_hour,
        hourly.n_events,
        cast(null as decimal(38, 6)) as amount
    from {{ ref('hourly_user_events') }} as hourly
    inner join {{ ref('cohort_measure_counters') }} as measures
        on hourly.counter_id = measures.counter_id
    union all
    select measure_id, identity_key, event_hour, n_events, amount
    from {{ ref('cohort_filtered_hours') }}
)
{%- endmacro %}
