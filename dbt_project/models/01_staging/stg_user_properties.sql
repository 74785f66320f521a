{# User properties as events stated them. Grain: one row per (identity_key, property, event_hour):
   the last value of the hour. Repeats stay: of a user's two identities the newest statement
   counts, also where it only confirms what that identity said before. #}
with

events as (
    select
        event_id,
        event_time,
        event_hour,
        user_properties,
        identity_key
    from {{ past_events() }} as past
    where user_properties is not null
),

pairs as (
    {{ json_pairs('events', 'user_properties', [
        'identity_key', 'event_hour', 'event_time', 'event_id',
    ]) }}
),

ranked as (
    select
        identity_key,
        property,
        event_hour,
        event_time as stated_at,
        value,
        row_number() over (
            partition by identity_key, property, event_hour
            order by event_time desc, event_id desc nulls last, value desc nulls last
        ) as place
    from pairs
),

final as (
    select identity_key, property, event_hour, stated_at, value
    from ranked
    where place = 1
    order by identity_key, property, event_hour
)

select * from final
