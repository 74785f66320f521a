{# Accepted events: typed, UTC, without duplicates. Grain: one row per event. A view, so that the
   largest rows of staging are stored only once. #}
{{ config(materialized='view') }}
with

final as (
    select
        event_id,
        user_id,
        device_id,
        identity_key,
        event_name,
        event_time,
        event_hour,
        received_at,
        event_properties,
        user_properties,
        previous_id
    from {{ in_view(ref('stg_checked_events')) }}
    where status = 'accepted'
)

select * from final
