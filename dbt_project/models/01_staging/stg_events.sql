{# Accepted events: typed, UTC, each once. Grain: one row per event. #}
with

decided as (
    select
        event_id, user_id, device_id, identity, event_name, event_time, received_at,
        event_properties, user_properties, fate, duplicate_hash
    from {{ ref('stg_checked_events') }}
),

undisputed as (
    select
        judged.event_id, judged.user_id, judged.device_id, judged.identity, judged.event_name,
        judged.event_time, judged.received_at, judged.event_properties, judged.user_properties
    from {{ judged_events() }} as judged
    left join (
        select distinct duplicate_hash from decided where fate <> 'rejected'
    ) as alike on judged.duplicate_hash = alike.duplicate_hash
    where judged.reject_reason is null and alike.duplicate_hash is null
),

accepted as (
    select * from undisputed
    union all
    select
        event_id, user_id, device_id, identity, event_name, event_time, received_at,
        event_properties, user_properties
    from decided
    where fate = 'accepted'
),

final as (
    select
        event_id,
        user_id,
        device_id,
        {{ hash_key('identity') }} as identity_key,
        event_name,
        event_time,
        {{ hour_index('event_time') }} as event_hour,
        received_at,
        event_properties,
        user_properties
    from accepted
)

select * from final
