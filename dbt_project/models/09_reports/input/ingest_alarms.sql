{# Suspicious input, one plain sentence each. Grain: one row per alarm. clock_ahead: events ahead of
   the last hour seen, without a time of receipt; torn_file: files that cannot be read; shared_id: a
   user on more devices than a person has; placeholder_id: an id that many users have as
   previous_id. #}
with

now as (select as_of_hour, last_hour from {{ ref('stg_as_of') }}),

ahead as (
    select
        sum(hours.n_events) as n_events,
        max(hours.event_hour) - max(now.last_hour) as n_hours,
        max(now.last_hour) as last_hour
    from {{ ref('stg_event_hours') }} as hours
    inner join now on hours.event_hour > now.last_hour
    where hours.n_users_timed > 0
),

devices as (
    select identity, count(distinct device_id) as n_devices
    from {{ ref('stg_sightings') }}
    where is_user
    group by identity
    having count(distinct device_id) > {{ var('max_devices_of_user') }}
),

shared as (
    select
        max(n_devices) as n_devices,
        count(*) as n_users,
        {{ value_at_max('identity', 'n_devices') }} as identity
    from devices
),

previous as (
    select previous_key, count(*) as n_users
    from {{ ref('stg_merges') }}
    where not is_merged
    group by previous_key
),

placeholders as (
    select
        count(*) as n_ids,
        max(previous.n_users) as n_users,
        {{ value_at_max('identities.user_id', 'previous.n_users') }} as identity
    from previous
    inner join {{ ref('stg_identities') }} as identities
        on previous.previous_key = identities.identity_key
),

final as (
    {%- if torn_files() %}
    select
        'torn_file' as kind,
        {{ sql_string(
            (torn_files() | length ~ ' files are' if torn_files() | length > 1 else '1 file is')
            ~ ' left out: ' ~ torn_files() | first ~ ' ' ~ torn_files().values() | first
            ~ '; the next run looks again'
        ) }} as message
    union all
    {%- endif %}
    select
        'clock_ahead' as kind,
        n_events || case when n_events = 1 then ' event lies' else ' events lie' end || ' up to '
        || case
            when n_hours < 48 then n_hours || ' hours'
            else {{ floor_divide('n_hours + 12', 24) }} || ' days'
        end
        || ' after ' || {{ minute_text(hour_start('last_hour')) }}
        || ', the last hour with about as many events as usual: '
        || 'a wrong clock; they are not used until then'
            as message
    from ahead
    where n_events > 0
    union all
    select
        'shared_id' as kind,
        'the user id "' || substr(identity, 1, 100) || '" is on ' || n_devices || ' devices'
        || case
            when n_users > 1 then ', and ' || (n_users - 1) || ' more are on too many devices'
            else ''
        end
        || ': if it is no person, add it to placeholder_ids in dbt_project.yml'
            as message
    from shared
    where n_users > 0
    union all
    select
        'placeholder_id' as kind,
        'the id "' || substr(identity, 1, 100) || '" is the previous id of ' || n_users || ' users'
        || case
            when n_ids > 1 then ', and ' || (n_ids - 1) || ' more have too many users'
            else ''
        end
        || ': it merges no users; if it is no person, add it to placeholder_ids in '
        || 'dbt_project.yml' as message
    from placeholders
    where n_ids > 0
)

select * from final
