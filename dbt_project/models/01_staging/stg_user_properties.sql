{# User properties as they changed. Grain: one row per (identity_key, property, event_hour) in which
   the last value differs from the one before. A value set in an hour is known after that hour. #}
with

events as (
    select
        events.event_id,
        events.event_time,
        events.event_hour,
        events.user_properties,
        identities.identity_key
    from {{ ref('stg_past_events') }} as events
    inner join {{ ref('stg_identities') }} as identities on events.identity = identities.user_id
    where events.user_properties is not null
),

pairs as (
    {{ json_pairs('events', 'user_properties', ['identity_key', 'event_hour', 'event_time', 'event_id']) }}
),

ranked as (
    select
        identity_key,
        property,
        event_hour,
        value,
        row_number() over (
            partition by identity_key, property, event_hour
            order by event_time desc, event_id desc nulls last, value desc nulls last
        ) as place
    from pairs
),

hourly as (
    select
        identity_key,
        property,
        event_hour,
        value,
        lag(value) over (partition by identity_key, property order by event_hour) as value_before,
        row_number() over (partition by identity_key, property order by event_hour) as place
    from ranked
    where place = 1
),

final as (
    select identity_key, property, event_hour, value
    from hourly
    where place = 1 or value is distinct from value_before
    order by identity_key, property, event_hour
)

select * from final
