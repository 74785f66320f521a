{# Every raw row, typed, with its fate: accepted, duplicate or rejected, and why.
   Grain: one row per raw row, so that nothing can disappear uncounted. The first received of
   several rows with one event_id (or, without id, with the same content) is the one accepted. #}
with

raw_events as (
    select
        event_id, user_id, device_id, event_name, event_time, received_at,
        event_properties, user_properties, raw_row, is_broken
    from {{ ref('stg_raw_events') }}
),

typed as (
    select
        nullif(event_id, '') as event_id,
        nullif(user_id, '') as user_id,
        nullif(device_id, '') as device_id,
        nullif(event_name, '') as event_name,
        nullif(event_time, '') as event_time_text,
        {{ to_utc('event_time') }} as event_time,
        {{ to_utc('received_at') }} as received_at,
        nullif(nullif(trim(event_properties), ''), 'null') as event_properties,
        nullif(nullif(trim(user_properties), ''), 'null') as user_properties,
        raw_row,
        is_broken
    from raw_events
),

judged as (
    select
        typed.*,
        case
            when is_broken then 'row is not JSON'
            when event_name is null then 'event_name is missing'
            when user_id is null and device_id is null then 'user_id and device_id are missing'
            when event_time_text is null then 'event_time is missing'
            when event_time is null then 'event_time is not a time'
            when
                event_time < cast('1970-01-02' as timestamp)
                or event_time >= cast('2200-01-01' as timestamp)
                then 'event_time is out of range'
            when event_time > received_at + interval '1' hour * {{ var('future_tolerance_hours') }}
                then 'event_time is in the future'
            when not {{ is_json_object('event_properties') }}
                then 'event_properties is not a JSON object'
            when not {{ is_json_object('user_properties') }}
                then 'user_properties is not a JSON object'
        end as reject_reason
    from typed
),

keyed as (
    select
        judged.*,
        case
            when reject_reason is not null then null
            when event_id is not null then 'same event_id'
            else 'same content without event_id'
        end as duplicate_rule,
        -- The lengths keep user a|b apart from user a with a device that starts with b.
        coalesce(event_id, md5(concat_ws(
            '|',
            coalesce(length(user_id), 0), coalesce(length(device_id), 0), length(event_name),
            user_id, device_id, event_name, event_time_text, event_properties
        ))) as duplicate_key
    from judged
),

ranked as (
    select
        keyed.*,
        row_number() over (
            partition by duplicate_rule, duplicate_key
            order by
                received_at nulls last, event_time nulls last, event_name nulls last,
                user_id nulls last, device_id nulls last,
                event_properties nulls last, user_properties nulls last
        ) as arrival
    from keyed
),

final as (
    select
        event_id,
        user_id,
        device_id,
        coalesce(user_id, 'device:' || device_id) as identity,
        event_name,
        event_time,
        {{ hour_index('event_time') }} as event_hour,
        received_at,
        event_properties,
        user_properties,
        case
            when reject_reason is not null then 'rejected'
            when arrival > 1 then 'duplicate'
            else 'accepted'
        end as fate,
        coalesce(reject_reason, case when arrival > 1 then duplicate_rule end) as reason,
        case
            when reject_reason is not null
                then coalesce(raw_row, {{ json_of([
                    'event_id', 'user_id', 'device_id', 'event_name', 'event_time_text',
                    'received_at', 'event_properties', 'user_properties',
                ]) }})
        end as raw_row
    from ranked
)

select * from final
