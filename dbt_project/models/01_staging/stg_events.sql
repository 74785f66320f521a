{# Accepted events: typed, UTC, each once. Grain: one row per event. #}

with

final as (
    select
        event_id, user_id, device_id, identity, event_name, event_time, event_hour, received_at,
        event_properties, user_properties
    from {{ ref('stg_checked_events') }}
    where fate = 'accepted'
)

select * from final
