{# Identities of active users: users with events in the hours since the newest scores, usually one
   hour (cohort_scope). An hourly run scores these users. Grain: one row per identity_key. #}
with

as_of as (select as_of_hour, since_hour from {{ ref('cohort_scope') }}),

active_users as (
    select distinct identity_map.user_key
    from {{ ref('hourly_user_events') }} as hourly
    inner join as_of
        on hourly.event_hour >= as_of.since_hour and hourly.event_hour < as_of.as_of_hour
    inner join {{ ref('stg_identity_map') }} as identity_map
        on {{ owner_as_of('hourly.identity_key', 'as_of.as_of_hour') }}
),

final as (
    select identity_map.identity_key, identity_map.user_key, identities.user_id
    from {{ ref('stg_identity_map') }} as identity_map
    inner join as_of
        on identity_map.valid_from_hour <= as_of.as_of_hour
        and identity_map.valid_to_hour > as_of.as_of_hour
    inner join active_users on identity_map.user_key = active_users.user_key
    inner join {{ ref('stg_identities') }} as identities
        on identity_map.identity_key = identities.identity_key
)

select * from final
