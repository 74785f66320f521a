{# How often each event type, and each value of its properties, occurs on each day. Grain: one row
   per (event_day, event_name, property, value); a NULL property counts the event itself. Values
   longer than max_value_characters, and those beyond the max_values_per_day most frequent of a
   property and day, share the row whose value is NULL. All times, also those after as_of. #}
{{ config(
    materialized='incremental_table', incremental_strategy='recount', recount_by=['event_day'],
    tags=['daily']
) }}
with

{% if is_incremental_run() -%}
changed as (
    select * from {{ changed_keys(floor_divide('event_hour', 24) ~ ' as event_day', this) }} as changed
),

{% endif -%}
events as (
    select
        {{ floor_divide('events.event_hour', 24) }} as event_day,
        events.event_name,
        events.event_properties
    from {{ ref('stg_events') }} as events
    {%- if is_incremental_run() %}
    where
        events.event_hour >= (select 24 * min(event_day) from changed)
        and {{ floor_divide('events.event_hour', 24) }} in (select event_day from changed)
    {%- endif %}
),

counted as (
    {{ count_values('events') }}
),

newest as (select batch_id from {{ newest_batch() }} as newest),

final as (
    select counted.*, newest.batch_id as counted_in
    from counted
    cross join newest
    {%- if is_incremental_run() %}
    union all
    select event_day, null as event_name, null as property, null as value,
        null as n_events, null as n_values, null as n_numbers, null as n_long, null as n_codes,
        null as counted_in
    from changed
    {%- endif %}
)

select * from final
