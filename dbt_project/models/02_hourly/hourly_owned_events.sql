{# The hourly counts of devices that somebody logged in on later, under that owner's key and sorted
   by it, so that a block of users finds what is theirs in one place.
   Grain: one row per (user_key, identity_key, event_hour, token_id). #}
with

final as (
    select
        identities.resolved_key as user_key,
        identities.known_hour,
        hourly.identity_key,
        hourly.event_hour,
        hourly.token_id,
        hourly.n_events,
        hourly.value_sum
    from {{ ref('hourly_user_events') }} as hourly
    inner join {{ ref('stg_identities') }} as identities
        on hourly.identity_key = identities.identity_key
    where identities.resolved_key <> identities.identity_key
    order by identities.resolved_key, hourly.identity_key, hourly.event_hour, hourly.token_id
)

select * from final
