{# When each raw identity was first seen, and on which devices. Grain: one row per (identity_key,
   device_id); device_id is NULL for events of a user without device. A previous_id may be a device:
   it then counts as a device of the user. All times, also those after as_of. #}
{{ config(
    materialized='incremental_table', incremental_strategy='recount', recount_by=['identity_key']
) }}
with

{% if is_incremental_run() -%}
changed as (select * from {{ changed_keys('identity_key', this) }} as changed),

-- A removed event may have been the first of its identity: only then all events are read.
taken_back as (
    select *
    from {{ changed_keys('identity_key', this, of="status = 'duplicate' and batch_id < decided_in") }}
        as taken_back
),

{% endif -%}
seen as (
    select identity_key, user_id, device_id, previous_id, event_time
    from {{ ref('stg_events') }}
    {%- if is_incremental_run() %}
    where identity_key in (select identity_key from taken_back)
    union all
    select identity_key, user_id, device_id, previous_id, event_time
    from {{ ref('stg_checked_events') }}
    where status = 'accepted' and {{ is_uncounted(this) }}
    union all
    select
        earlier.identity_key,
        case when earlier.is_user then earlier.identity end as user_id,
        earlier.device_id,
        null as previous_id,
        earlier.first_seen_at as event_time
    from {{ this }} as earlier
    inner join changed on earlier.identity_key = changed.identity_key
    where earlier.identity_key not in (select identity_key from taken_back)
    {%- endif %}
),

counted as (
    select
        identity_key,
        device_id,
        previous_id,
        any_value(user_id) as user_id,  -- an identity has one, or none
        min(event_time) as first_seen_at
    from seen
    group by identity_key, device_id, previous_id
),

devices as (
    select identity_key, user_id, device_id, first_seen_at from counted
    union all
    select identity_key, user_id, previous_id as device_id, first_seen_at
    from counted
    where user_id is not null and previous_id is not null
),

firsts as (
    select
        identity_key,
        device_id,
        any_value(user_id) as user_id,
        min(first_seen_at) as first_seen_at
    from devices
    group by identity_key, device_id
),

newest as (select batch_id from {{ newest_batch() }} as newest),

final as (
    select
        firsts.identity_key,
        coalesce(firsts.user_id, 'device:' || firsts.device_id) as identity,
        firsts.user_id is not null as is_user,
        firsts.device_id,
        firsts.first_seen_at,
        {{ hour_index('firsts.first_seen_at') }} as first_hour,
        newest.batch_id as counted_in
    from firsts
    cross join newest
    {%- if is_incremental_run() %}
    union all
    select
        identity_key, null as identity, null as is_user, null as device_id,
        null as first_seen_at, null as first_hour, null as counted_in
    from changed
    {%- endif %}
)

select * from final
