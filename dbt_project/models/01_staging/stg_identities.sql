{# Raw identities (a user id, or a device before log-in) and the user each belongs to.
   Grain: one row per identity. A device belongs to the first user seen on it, from the hour after
   that sighting: known_hour < as_of_hour must hold before history may be re-attributed. #}
with

events as (
    select identity_key, user_id, device_id, event_time, event_hour
    from {{ past_events() }} as past
),

keyed as (
    select
        identity_key,
        coalesce(user_id, 'device:' || device_id) as identity,
        max(case when user_id is null then device_id end) as device_id
    from events
    group by identity_key, coalesce(user_id, 'device:' || device_id)
),

sightings as (
    select
        device_id,
        identity_key,
        event_hour,
        row_number() over (partition by device_id order by event_time, user_id) as place
    from events
    where user_id is not null and device_id is not null
),

owners as (
    select
        device_id,
        identity_key as owner_key,
        event_hour as known_hour
    from sightings
    where place = 1
),

final as (
    select
        keyed.identity_key,
        keyed.identity as user_id,
        keyed.device_id is null as is_user,
        coalesce(owners.owner_key, keyed.identity_key) as resolved_key,
        coalesce(owners.known_hour, -1) as known_hour,
        {{ hash_bucket('keyed.identity', 100) }} as user_bucket
    from keyed
    left join owners on keyed.device_id = owners.device_id
)

select * from final
