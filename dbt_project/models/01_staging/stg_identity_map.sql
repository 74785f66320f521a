{# Whom each identity belongs to, as of every hour. Grain: one row per (identity_key, from_hour): as
   of an hour in [from_hour, to_hour) it is user_key's. A device belongs to the first user seen on it,
   from the hour after that sighting. Nothing changes after as_of. #}
{%- set always = 2147483647 -%}
with

users_of_devices as (
    select
        sightings.device_id,
        sightings.identity_key,
        sightings.first_hour,
        row_number() over (
            partition by sightings.device_id order by sightings.first_seen_at, sightings.identity
        ) as place
    from {{ ref('stg_sightings') }} as sightings
    inner join {{ ref('stg_as_of') }} as now on sightings.first_hour < now.as_of_hour
    where sightings.is_user and sightings.device_id is not null
),

owners as (
    select device_id, identity_key as owner_key, first_hour + 1 as known_from
    from users_of_devices
    where place = 1
),

identities as (
    select identities.identity_key, owners.owner_key, owners.known_from
    from {{ ref('stg_identities') }} as identities
    left join owners on identities.device_id = owners.device_id
),

final as (
    select
        identity_key,
        identity_key as user_key,
        0 as from_hour,
        coalesce(known_from, {{ always }}) as to_hour
    from identities
    union all
    select identity_key, owner_key as user_key, known_from as from_hour, {{ always }} as to_hour
    from identities
    where owner_key is not null
)

select * from final
