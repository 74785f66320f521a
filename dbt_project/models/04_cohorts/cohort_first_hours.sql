{# When each identity was first seen. Grain: one row per identity_key. #}
with

final as (
    select identity_key, min(event_hour) as event_hour
    from {{ ref('hourly_user_events') }}
    group by identity_key
)

select * from final
