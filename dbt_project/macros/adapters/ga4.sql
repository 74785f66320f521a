{# Google Analytics 4 as exported to BigQuery: the tables events_YYYYMMDD. Times are microseconds. Events have
   no id: rows with the same content are one event, so the intraday table and the table of the day can be loaded
   together. Only the table of the day has the parameters batch_…, which describe how a browser sent the event:
   they are left out. #}
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
