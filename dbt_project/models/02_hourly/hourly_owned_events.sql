{# Hourly counts of identities that belong to another user (devices, merged users), under that
   user's key and sorted by it, so that a block of users reads one place. They are the user's as of
   an hour in [valid_from_hour, valid_to_hour). Grain: one row per (user_key, identity_key,
   valid_from_hour, event_hour, counter_id). #}
with

final as (
    select
        identity_map.user_key,
        identity_map.valid_from_hour,
        identity_map.valid_to_hour,
        hourly.identity_key,
        hourly.event_hour,
        hourly.counter_id,
        hourly.n_events,
        hourly.value_sum
    from {{ ref('hourly_user_events') }} as hourly
    inner join {{ ref('stg_identity_map') }} as identity_map
        on hourly.identity_key = identity_map.identity_key
    where identity_map.user_key <> identity_map.identity_key
    order by identity_map.user_key, hourly.identity_key, hourly.event_hour, hourly.counter_id
)

select * from final
