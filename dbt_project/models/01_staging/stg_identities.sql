{# Raw identities before as_of (a user id, or a device before log-in) and the user each belongs to.
   Grain: one row per identity. A device belongs to the first user seen on it, from the hour after
   that sighting: known_hour < as_of_hour must hold before history may be re-attributed. #}
with

sightings as (
    select sightings.*
    from {{ ref('stg_sightings') }} as sightings
    inner join {{ ref('stg_as_of') }} as now on sightings.first_hour < now.as_of_hour
),

keyed as (
    select
        identity_key,
        max(identity) as identity,
        max(case when not is_user then device_id end) as device_id,
        min(first_hour) as first_hour
    from sightings
    group by identity_key
),

users_of_devices as (
    select
        device_id,
        identity_key,
        first_hour,
        row_number() over (partition by device_id order by first_seen_at, identity) as place
    from sightings
    where is_user and device_id is not null
),

owners as (
    select
        device_id,
        identity_key as owner_key,
        first_hour as known_hour
    from users_of_devices
    where place = 1
),

final as (
    select
        keyed.identity_key,
        keyed.identity as user_id,
        keyed.device_id is null as is_user,
        keyed.first_hour,
        coalesce(owners.owner_key, keyed.identity_key) as resolved_key,
        coalesce(owners.known_hour, -1) as known_hour,
        {{ hash_bucket('keyed.identity', 100) }} as user_bucket
    from keyed
    left join owners on keyed.device_id = owners.device_id
)

select * from final
