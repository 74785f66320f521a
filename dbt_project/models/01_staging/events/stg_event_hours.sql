{# Events per hour, with evidence that the hour is right: users with an event not received before it
   (n_users_timed) and events received within a day (n_prompt). Grain: one row per event_hour. An
   hourly run derives as_of from these rows instead of from all events. All times, also those after
   as_of. #}
{{ config(
    materialized='incremental_table', incremental_strategy='recount', recount_by=['event_day']
) }}
{%- set event_day = floor_divide('event_hour', 24) %}
with

{% if is_incremental_run() -%}
changed as (select * from {{ changed_keys(event_day ~ ' as event_day', this) }} as changed),

{% endif -%}
newest as (select batch_id from {{ newest_batch() }} as newest),

final as (
    select
        {{ event_day }} as event_day,
        events.event_hour,
        cast(count(*) as bigint) as n_events,
        {{ count_clocks('events') }},
        max(newest.batch_id) as counted_in
    from {{ ref('stg_events') }} as events
    cross join newest
    {%- if is_incremental_run() %}
    where
        events.event_hour >= (select 24 * min(event_day) from changed)
        and {{ event_day }} in (select event_day from changed)
    {%- endif %}
    group by events.event_hour
    {%- if is_incremental_run() %}
    union all
    select
        event_day, null as event_hour, null as n_events, null as n_users_timed, null as n_prompt,
        null as counted_in
    from changed
    {%- endif %}
)

select * from final
