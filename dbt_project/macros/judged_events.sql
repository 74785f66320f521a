{# Every raw row, typed, with the reason if it cannot be used (reject_reason) and the duplicate_hash
   that finds suspects cheaply. A FROM item over stg_raw_events; two models read it, each through its
   own filter, because writing a billion wide rows costs more than reading them again
   (docs/decisions/0008). #}
{% macro judged_events() %}
(
    select
        typed.*,
        coalesce(user_id, 'device:' || device_id) as identity,
        case
            when is_broken then 'row is not JSON'
            when event_name is null then 'event_name is missing'
            when user_id is null and device_id is null then 'user_id and device_id are missing'
            when event_time is null and event_time_text is null then 'event_time is missing'
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
    from (
        select
            nullif(event_id, '') as event_id,
            nullif(user_id, '') as user_id,
            nullif(device_id, '') as device_id,
            nullif(event_name, '') as event_name,
            nullif(event_time, '') as event_time_text,
            coalesce(event_timestamp, {{ to_utc('event_time') }}) as event_time,
            coalesce(received_timestamp, {{ to_utc('received_at') }}) as received_at,
            nullif(nullif(trim(event_properties), ''), 'null') as event_properties,
            nullif(nullif(trim(user_properties), ''), 'null') as user_properties,
            {{ duplicate_hash() }} as duplicate_hash,
            raw_row,
            is_broken
        from {{ ref('stg_raw_events') }}
    ) as typed
)
{% endmacro %}

{# Equal for rows that may be one event sent twice: the same event_id or, without, the same content.
   Of the raw columns, so that finding suspects parses nothing. #}
{% macro duplicate_hash() %}
case
    when event_id <> '' then {{ hash_key('event_id') }}
    else {{ hash_key("user_id, device_id, event_name, event_timestamp, case when event_timestamp is"
        ~ " null then event_time end, event_properties") }}
end
{%- endmacro %}
