{# Events in the columns of the input contract (docs/your_events.md). #}
{% macro canonical_columns() %}
    {{ return([
        'event_id', 'user_id', 'device_id', 'event_name', 'event_time', 'received_at',
        'event_properties', 'user_properties', 'previous_id',
    ]) }}
{% endmacro %}

{% macro adapt_canonical(rows) %}
    {{ return(canonical_rows(rows, dict(zip(canonical_columns(), canonical_columns())))) }}
{% endmacro %}
