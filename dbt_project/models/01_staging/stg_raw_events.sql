{# Raw events as they came, from every source, in the columns of the input contract, all text.
   Grain: one row per raw row. #}
{{ config(materialized='view') }}

with

final as (
    {%- for each in event_sources() %}
    select
        {{ sql_string(each.name) }} as source,
        raw_events.source_file,
        raw_events.loaded_at,
        raw_events.event_id,
        raw_events.user_id,
        raw_events.device_id,
        raw_events.event_name,
        raw_events.event_time,
        raw_events.received_at,
        raw_events.event_properties,
        raw_events.user_properties,
        raw_events.previous_id,
        raw_events.event_timestamp,
        raw_events.received_timestamp,
        raw_events.raw_row,
        raw_events.is_broken
    from {{ read_events(each) }} as raw_events
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
