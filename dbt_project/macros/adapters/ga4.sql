{# Google Analytics 4 as exported to BigQuery: the tables events_YYYYMMDD. Times are microseconds.
   There is no id of an event: rows with the same content are one event, which is what makes the
   intraday table and the day's table load together. The day's table alone has parameters batch_…, which
   say how a browser sent the event and not what the user did: they are left out. #}
{% macro ga4_columns() %}
    {{ return([
        'user_id', 'user_pseudo_id', 'event_name', 'event_timestamp', 'event_params', 'user_properties',
    ]) }}
{% endmacro %}

{% macro adapt_ga4(rows) %}
    {{ return(canonical_rows(rows, {
        'user_id': 'user_id',
        'device_id': 'user_pseudo_id',
        'event_name': 'event_name',
        'event_time': from_unix_micros('event_timestamp'),
        'event_properties': json_of_parameters(
            json_text('event_params'), ['batch_event_index', 'batch_ordering_id', 'batch_page_id']
        ),
        'user_properties': json_of_parameters(json_text('user_properties')),
    })) }}
{% endmacro %}
