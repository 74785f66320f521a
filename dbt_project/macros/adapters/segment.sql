{# Segment's messages as its libraries send them and its S3 destination stores them: NDJSON. A track call
   becomes the event it names; identify, page, screen, group and alias become $identify, $page, … alias holds
   the earlier id of a user. #}
{% macro segment_columns() %}
    {{ return([
        'messageId', 'userId', 'anonymousId', 'previousId', 'type', 'event', 'timestamp', 'receivedAt',
        'properties', 'traits', 'context',
    ]) }}
{% endmacro %}

{% macro adapt_segment(rows) %}
    {{ return(canonical_rows(rows, {
        'event_id': 'messageId',
        'user_id': 'userId',
        'device_id': 'anonymousId',
        'event_name': "case when type = 'track' then event else '$' || type end",
        'event_time': 'timestamp',
        'received_at': 'receivedAt',
        'event_properties': 'properties',
        'user_properties': "coalesce(case when type = 'identify' then " ~ json_text('traits') ~ ' end, '
            ~ json_at(json_text('context'), ['traits']) ~ ')',
        'previous_id': "case when type = 'alias' then previousId end",
    })) }}
{% endmacro %}
