{# Segment's warehouse tables, which RudderStack writes alike: a property or trait is a column of its
   own. `tracks` has none of them, so that the table of one event (same columns and its properties)
   tells more. In these files what is no column of Segment's is the user's. #}
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

{# `identifies`: who a device belongs to, and the user's traits. #}
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

{# `aliases`: under which id a user was known before. #}
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
