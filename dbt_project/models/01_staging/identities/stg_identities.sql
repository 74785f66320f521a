{# Raw identities before as_of: a user id, or a device before log-in. Grain: one row per identity.
   Its owner by hour is in stg_identity_map. Only the presence of a row depends on as_of, its values
   do not: an hourly run adds new identities. #}
{{ config(
    materialized='incremental_table', incremental_strategy='recount', recount_by=['identity_key']
) }}
with

now as (select as_of_hour from {{ ref('stg_as_of') }}),

{% if is_incremental_run() -%}
-- Identities with added or removed events; those first seen since the previous as_of; those not yet
-- known in a replay.
changed as (
    select * from {{ changed_keys('identity_key', this) }} as changed
    union
    select later.identity_key
    from {{ ref('stg_sightings') }} as later
    inner join now on later.first_hour < now.as_of_hour
    where coalesce(later.first_hour > (select max(known.first_hour) from {{ this }} as known), true)
    union
    select known.identity_key
    from {{ this }} as known
    inner join now on known.first_hour >= now.as_of_hour
),

{% endif -%}
sightings as (
    select sightings.*
    from {{ ref('stg_sightings') }} as sightings
    inner join now on sightings.first_hour < now.as_of_hour
    {%- if is_incremental_run() %}
    inner join changed on sightings.identity_key = changed.identity_key
    {%- endif %}
),

newest as (select batch_id from {{ newest_batch() }} as newest),

final as (
    select
        sightings.identity_key,
        max(sightings.identity) as user_id,
        bool_or(sightings.is_user) as is_user,
        max(case when not sightings.is_user then sightings.device_id end) as device_id,
        min(sightings.first_hour) as first_hour,
        {{ hash_bucket('max(sightings.identity)', 100) }} as user_bucket,
        max(newest.batch_id) as counted_in
    from sightings
    cross join newest
    group by sightings.identity_key
    {%- if is_incremental_run() %}
    union all
    select
        identity_key, null as user_id, null as is_user, null as device_id,
        null as first_hour, null as user_bucket, null as counted_in
    from changed
    {%- endif %}
)

select * from final
