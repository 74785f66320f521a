{# Raw identities before as_of: a user id, or a device before log-in. Grain: one row per identity.
   Whom each belongs to, as of when, is in stg_identity_map. #}
with

sightings as (
    select sightings.*
    from {{ ref('stg_sightings') }} as sightings
    inner join {{ ref('stg_as_of') }} as now on sightings.first_hour < now.as_of_hour
),

final as (
    select
        identity_key,
        max(identity) as user_id,
        bool_or(is_user) as is_user,
        max(case when not is_user then device_id end) as device_id,
        min(first_hour) as first_hour,
        {{ hash_bucket('max(identity)', 100) }} as user_bucket
    from sightings
    group by identity_key
)

select * from final
