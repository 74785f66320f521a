{# Segment's warehouse tables, which RudderStack writes in the same form: each property or trait is a column.
   `tracks` has no property columns, so the table of a single event (same columns and its properties) holds
   more. In these files every column that is not Segment's is a property. #}
{% macro segment_tracks_columns() %}
    {{ return([
        'id', 'user_id', 'anonymous_id', 'event', 'event_text', 'timestamp', 'received_at',
    ]) }}
{% endmacro %}

{% macro segment_tracks_more_columns() %}{{ return('.*') }}{% endmacro %}

{% macro adapt_segment_tracks(rows) %}
    {{ return(canonical_rows(rows, {
        'event_id': 'id',
        'user_id': 'user_id',
        'device_id': 'anonymous_id',
        'event_name': 'coalesce(event_text, event)',
        'event_time': 'timestamp',
        'received_at': 'received_at',
        'event_properties': segment_own_columns(),
    })) }}
{% endmacro %}

{# `identifies`: the user of a device, and the user's traits. #}
{% macro segment_identifies_columns() %}
    {{ return(['id', 'user_id', 'anonymous_id', 'timestamp', 'received_at']) }}
{% endmacro %}

{% macro segment_identifies_more_columns() %}{{ return('.*') }}{% endmacro %}

{% macro adapt_segment_identifies(rows) %}
    {{ return(canonical_rows(rows, {
        'event_id': 'id',
        'user_id': 'user_id',
        'device_id': 'anonymous_id',
        'event_name': "'$identify'",
        'event_time': 'timestamp',
        'received_at': 'received_at',
        'user_properties': segment_own_columns(),
    })) }}
{% endmacro %}

{# `aliases`: the earlier id of a user. #}
{% macro segment_aliases_columns() %}
    {{ return(['id', 'user_id', 'previous_id', 'timestamp', 'received_at']) }}
{% endmacro %}

{% macro adapt_segment_aliases(rows) %}
    {{ return(canonical_rows(rows, {
        'event_id': 'id',
        'user_id': 'user_id',
        'event_name': "'$alias'",
        'event_time': 'timestamp',
        'received_at': 'received_at',
        'previous_id': 'previous_id',
    })) }}
{% endmacro %}

{% macro segment_own_columns() %}
    {{ return(json_picked(
        'row_json',
        [
            'id', 'user_id', 'anonymous_id', 'event', 'event_text', 'timestamp', 'received_at', 'sent_at',
            'original_timestamp', 'loaded_at', 'uuid', 'uuid_ts',
        ],
        others=true,
        prefixes=['context_']
    )) }}
{% endmacro %}
