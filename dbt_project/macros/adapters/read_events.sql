{# Raw events of one source (event_sources) in the canonical columns, all text: a FROM item. An adapter NAME is
   two macros: NAME_columns() lists the columns to read, adapt_NAME(rows) maps them to canonical columns. An
   optional third, NAME_more_columns(), is a regular expression of further columns, which are passed together as
   row_json. The mappings are in docs/adapters.md. #}
{% macro read_events(source) %}
    {%- set more_columns = context.get(source.adapter ~ '_more_columns') -%}
    {%- set columns = context[source.adapter ~ '_columns']() -%}
    {%- set more = more_columns() if more_columns else none -%}
    {%- set parts = [] -%}
    {%- for part in files_by_schema(source, columns, more) -%}
        {%- do parts.append(context['adapt_' ~ source.adapter](read_rows(part, columns, more))) -%}
    {%- endfor -%}
    {%- if parts | length == 1 -%}{{ return(parts[0]) }}{%- endif -%}
    {%- set selects = [] -%}
    {%- for part in parts -%}{%- do selects.append('select * from ' ~ part ~ ' as part') -%}{%- endfor -%}
    {{ return('(' ~ selects | join(' union all ') ~ ')') }}
{% endmacro %}

{% macro adapter_names() %}
    {{ return([
        'canonical', 'amplitude', 'segment', 'segment_tracks', 'segment_identifies', 'segment_aliases',
        'snowplow', 'ga4', 'posthog',
    ]) }}
{% endmacro %}
