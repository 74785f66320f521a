{# Amplitude's Export API: NDJSON, one file per hour. Times are UTC text. event_id is a counter there, so uuid
   identifies the event. $identify events set user properties under operations: values of $set and $setOnce are
   used; $add, $append and similar operations change a state that is not in the file and are ignored. #}
{% macro amplitude_columns() %}
    {{ return([
        'uuid', 'user_id', 'device_id', 'event_type', 'event_time', 'server_upload_time',
        'event_properties', 'user_properties',
    ]) }}
{% endmacro %}

{% macro adapt_amplitude(rows) %}
    {%- set stated = json_text('user_properties') -%}
    {%- set operations = [
        '$set', '$setOnce', '$unset', '$add', '$append', '$prepend', '$preInsert', '$postInsert',
        '$remove', '$clearAll',
    ] -%}
    {%- set identified = json_merged([
        json_at(stated, ['$set']), json_at(stated, ['$setOnce']),
        json_picked(stated, operations, others=true),
    ]) -%}
    {{ return(canonical_rows(rows, {
        'event_id': 'uuid',
        'user_id': 'user_id',
        'device_id': 'device_id',
        'event_name': 'event_type',
        'event_time': 'event_time',
        'received_at': 'server_upload_time',
        'event_properties': 'event_properties',
        'user_properties':
            "case when event_type = '$identify' then " ~ identified ~ ' else ' ~ stated ~ ' end',
    })) }}
{% endmacro %}
