{# Raw rows of the loaded files, typed: with the reason if a row cannot be used (reject_reason), whether it is
   late, the placeholder that was received instead of an id (real_id), and the duplicate_hash that finds
   possible duplicates cheaply. A FROM item. It is read several times with different filters, because storing a
   billion wide rows costs more than reading them again (docs/decisions/0008). only: SQL condition of the rows
   to read (in_new_files); closed: the hour before which events are late. Without them: every row of every file,
   none late. #}
{% macro decided_events(only=none, closed=none) %}
(
    select
        typed.*,
        case
            when
                event_time >= cast('1970-01-02' as timestamp)
                and event_time < cast('2200-01-01' as timestamp)
                then {{ hour_index('event_time') }}
        end as event_hour,
        {{ duplicate_hash() }} as duplicate_hash,
        {{ hash_key("coalesce(user_id, 'device:' || device_id)") }} as identity_key,
        {{ 'coalesce(event_hour < ' ~ closed ~ ', false)' if closed is not none else 'false' }} as is_late,
        case
            when is_broken then 'row is not JSON'
            when event_name is null then 'event_name is missing'
            when user_id is null and device_id is null and placeholder_id is not null
                then 'user_id and device_id are placeholders'
            when user_id is null and device_id is null then 'user_id and device_id are missing'
            {%- for id in ['user_id', 'device_id', 'previous_id', 'event_id'] %}
            when {{ is_rounded_id(id) }} then '{{ id }} was rounded by another tool'
            {%- endfor %}
            when event_time is null and event_time_text is null then 'event_time is missing'
            when event_time is null then 'event_time is not a time'
            when event_hour is null then 'event_time is out of range'
            when event_time > received_at + interval '1' hour * {{ var('future_tolerance_hours') }}
                then 'event_time is in the future'
            when not {{ is_json_object('event_properties') }}
                then 'event_properties is not a JSON object'
            when not {{ is_json_object('user_properties') }}
                then 'user_properties is not a JSON object'
        end as reject_reason
    from (
        select
            {% for id in ['event_id', 'user_id', 'device_id', 'previous_id'] -%}
            real.real_{{ id }} as {{ id }},
            {% endfor -%}
            coalesce(
                {%- for id in ['user_id', 'device_id', 'previous_id', 'event_id'] %}
                case when real.real_{{ id }} is null then nullif(lower(trim(real.{{ id }})), '') end
                {{- ',' if not loop.last }}
                {%- endfor %}
            ) as placeholder_id,
            nullif(real.event_name, '') as event_name,
            nullif(real.event_time, '') as event_time_text,
            coalesce(real.event_timestamp, {{ to_utc('real.event_time') }}) as event_time,
            coalesce(real.received_timestamp, {{ to_utc('real.received_at') }}) as received_at,
            nullif(nullif(trim(real.event_properties), ''), 'null') as event_properties,
            nullif(nullif(trim(real.user_properties), ''), 'null') as user_properties,
            real.raw_row,
            real.is_broken,
            real.batch_id
        from (
            select
                raw_events.*,
                {% for id in ['event_id', 'user_id', 'device_id', 'previous_id'] -%}
                {{ real_id('raw_events.' ~ id) }} as real_{{ id }},
                {% endfor -%}
                batches.batch_id
            from {{ ref('stg_raw_events') }} as raw_events
            inner join {{ ref('stg_batches') }} as batches
                on {{ is_of_batch('raw_events', 'batches') }}
            {%- if only %}
            where {{ only }}
            {%- endif %}
        ) as real
    ) as typed
)
{% endmacro %}

{# Equal for events that may be duplicates: the same event_id or, without one, the same content except for its
   properties, which are compared exactly (json_canonical) where this hash is equal. #}
{% macro duplicate_hash() %}
case
    when event_id is not null then {{ hash_key('event_id') }}
    else {{ hash_key('user_id, device_id, previous_id, event_name, event_time') }}
end
{%- endmacro %}
