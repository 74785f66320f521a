{# Merges of users that events before as_of report: user_id was known as previous_id before. Grain:
   one row per (previous_key, user_key). A merge is known from the hour after its event was
   received; all are known as of now. A previous_id of many users is a placeholder ("guest",
   "undefined") and merges nobody. #}
with

as_of as (select as_of_hour from {{ ref('stg_as_of') }}),

users as (select identity_key from {{ ref('stg_identities') }} where is_user),

statements as (
    select
        {{ hash_key('events.previous_id') }} as previous_key,
        events.identity_key as user_key,
        events.user_id,
        events.batch_id,
        least(
            greatest(
                events.event_hour,
                coalesce({{ hour_index('events.received_at') }}, events.event_hour)
            ) + 1,
            as_of.as_of_hour
        ) as known_from
    from {{ ref('stg_checked_events') }} as events
    inner join as_of on events.event_hour < as_of.as_of_hour
    where
        events.previous_id is not null
        and events.status = 'accepted'
        and events.user_id <> events.previous_id
),

pairs as (
    select
        statements.previous_key,
        statements.user_key,
        statements.user_id,
        min(statements.known_from) as known_from,
        min(statements.batch_id) as batch_id,
        count(*) over (partition by statements.previous_key) as n_users
    from statements
    inner join users on statements.previous_key = users.identity_key
    group by statements.previous_key, statements.user_key, statements.user_id
),

final as (
    select
        previous_key,
        user_key,
        user_id,
        known_from,
        batch_id,
        n_users <= {{ var('max_users_of_previous_id') }} as is_merged
    from pairs
)

select * from final
