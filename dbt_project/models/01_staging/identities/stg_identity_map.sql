{# The owner of each identity by hour (a slowly changing dimension). Grain: one row per
   (identity_key, valid_from_hour): as of an hour in [valid_from_hour, valid_to_hour) it belongs to
   user_key. A user belongs to the user it was merged into; a device belongs to the first user seen
   on it, from the hour after that sighting on, and follows that user through merges. Nothing
   changes after as_of. #}
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

owned as (
    select
        identities.identity_key,
        owners.identity_key as owner_key,
        owners.first_hour + 1 as known_from
    from {{ ref('stg_identities') }} as identities
    inner join users_of_devices as owners
        on identities.device_id = owners.device_id and owners.place = 1
),

merged as (
    select identity_key, user_key, valid_from_hour, valid_to_hour from {{ ref('stg_merged_users') }}
),

-- Before its first change each identity is its own owner.
changes as (
    select identity_key, known_from as first_change from owned
    union all
    select identity_key, min(valid_from_hour) as first_change
    from merged
    group by identity_key
),

selves as (
    select
        identities.identity_key,
        identities.identity_key as user_key,
        0 as valid_from_hour,
        coalesce(changes.first_change, {{ always() }}) as valid_to_hour
    from {{ ref('stg_identities') }} as identities
    left join changes on identities.identity_key = changes.identity_key
),

users as (
    select identity_key, user_key, valid_from_hour, valid_to_hour from selves
    union all
    select identity_key, user_key, valid_from_hour, valid_to_hour from merged
),

final as (
    select identity_key, user_key, valid_from_hour, valid_to_hour from users
    union all
    select
        owned.identity_key,
        users.user_key,
        greatest(users.valid_from_hour, owned.known_from) as valid_from_hour,
        users.valid_to_hour
    from owned
    inner join users
        on owned.owner_key = users.identity_key and users.valid_to_hour > owned.known_from
)

select * from final
