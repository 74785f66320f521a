{# PostHog's events: batch export (Parquet, JSONLines) or the events table. distinct_id is the id of the user
   or, before log-in, of the device. $identify links a device to a user; $create_alias and $merge_dangerously
   link two users. User properties are the person's properties at the time of the event, else those that the
   event itself sets. #}
{% macro posthog_columns() %}
    {{ return([
        'uuid', 'distinct_id', 'event', 'timestamp', 'created_at', 'properties', 'person_properties',
    ]) }}
{% endmacro %}

{% macro adapt_posthog(rows) %}
    {%- set stated = [json_at('properties', ['$set']), json_at('properties', ['$set_once'])] -%}
    {%- set named -%}
        (
            select
                uuid, event, timestamp, created_at,
                {{ id_text('distinct_id') }} as distinct_id,
                {{ json_text('properties') }} as properties,
                {{ json_text('person_properties') }} as person_properties,
                coalesce(
                    {{ real_id(json_at(json_text('properties'), ['$device_id'])) }},
                    {{ json_at(json_text('properties'), ['$anon_distinct_id']) }}
                ) as device_id,
                {{ json_at(json_text('properties'), ['$is_identified']) }} as is_identified,
                case
                    when event in ('$create_alias', '$merge_dangerously')
                        then {{ json_at(json_text('properties'), ['alias']) }}
                    when event = '$identify'
                        then {{ json_at(json_text('properties'), ['$anon_distinct_id']) }}
                end as previous_id,
                source_file, loaded_at, raw_row, is_broken
            from {{ rows }}
        )
    {%- endset -%}
    {%- set is_user = "(distinct_id is distinct from device_id and is_identified is distinct from 'false')" -%}
    {{ return(canonical_rows(named, {
        'event_id': 'uuid',
        'user_id': 'case when ' ~ is_user ~ ' then distinct_id end',
        'device_id': 'case when ' ~ is_user ~ ' then device_id else coalesce(device_id, distinct_id) end',
        'event_name': 'event',
        'event_time': 'timestamp',
        'received_at': 'created_at',
        'event_properties': 'properties',
        'user_properties': 'coalesce(person_properties, ' ~ json_merged(stated) ~ ')',
        'previous_id': 'previous_id',
    })) }}
{% endmacro %}
