{# Raw events as received, from every source, in the columns of the input contract, all text. Grain:
   one row per raw row. #}
{{ config(materialized='event_view') }}

{# The materialization reads them. #}
{%- for each in event_sources() if each.relation %}
-- depends_on: {{ each.relation }}
{%- endfor %}

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
