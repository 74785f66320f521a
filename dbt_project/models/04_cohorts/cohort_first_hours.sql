{# When each identity was first seen. Grain: one row per identity_key. #}
with

final as (
    select hourly.identity_key, min(hourly.event_hour) as event_hour
    from {{ ref('hourly_user_events') }} as hourly
    inner join {{ ref('hourly_tokens') }} as tokens
        on hourly.token_id = tokens.token_id and tokens.kind = 'any'
    group by hourly.identity_key
)

select * from final
