{# Raw events as they came, in the columns of the input contract, all text.
   Grain: one row per raw row. #}
{{ config(materialized='view') }}

with

final as (
    select
        raw_events.event_id,
        raw_events.user_id,
        raw_events.device_id,
        raw_events.event_name,
        raw_events.event_time,
        raw_events.received_at,
        raw_events.event_properties,
        raw_events.user_properties,
        raw_events.event_timestamp,
        raw_events.received_timestamp,
        raw_events.raw_row,
        raw_events.is_broken,
        raw_events.source_file
    from {{ read_events(var('events'), var('events_relation')) }} as raw_events
)

select * from final
