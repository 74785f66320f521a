{# Raw events as received, from every source, in the columns of the input contract, all text. Grain:
   one row per raw row. #}
{{ config(materialized='view') }}

with

raw_events as (
    {%- for each in event_sources() %}
    select {{ sql_string(each.name) }} as source, of_source.*
    from {{ read_events(each) }} as of_source
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        source,
        source_file,
        loaded_at,
        event_id,
        user_id,
        device_id,
        event_name,
        event_time,
        received_at,
        event_properties,
        user_properties,
        previous_id,
        event_timestamp,
        received_timestamp,
        raw_row,
        is_broken
    from raw_events
)

select * from final
