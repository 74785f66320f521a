{# Where raw events come from: a list of {name, adapter, events, relation, loaded_at, may_be_absent},
   from var `sources`, else from vars `events`, `events_relation` and `adapter`. A wrong setting is refused. #}
{% macro event_sources() %}
    {%- set given = var('sources') -%}
    {%- if not given -%}
        {#- A fresh clone has no demo events yet and builds with none; events somebody named must exist. -#}
        {%- set is_demo = var('events') == 'warehouse/demo_events/*.parquet'
            and not env_var('FORETELL_EVENTS', '') -%}
        {%- do check_adapter('FORETELL_ADAPTER', var('adapter')) -%}
        {{ return([{
            'name': var('adapter'), 'adapter': var('adapter'), 'events': var('events'),
            'relation': var('events_relation'), 'may_be_absent': is_demo,
        }]) }}
    {%- endif -%}
    {%- set listed = fromjson(given, given) if given is string else given -%}
    {%- if listed is mapping or listed is string or listed is not sequence -%}
        {{ refuse(
            'FORETELL_SOURCES is ' ~ in_json(listed) ~ '; write a list, '
            ~ 'e.g. [{"name": "web", "adapter": "ga4", "events": "ga4/*.parquet"}]'
        ) }}
    {%- endif -%}
    {%- set sources = [] -%}
    {%- for source in listed -%}
        {%- set before = sources | map(attribute='name') | list -%}
        {%- do check_source('FORETELL_SOURCES: source ' ~ loop.index, source, before) -%}
        {%- do sources.append({
            'name': source.name, 'adapter': source.get('adapter', 'canonical'),
            'events': source.get('events', ''), 'relation': source.get('relation', ''),
            'loaded_at': source.get('loaded_at', ''),
        }) -%}
    {%- endfor -%}
    {{ return(sources) }}
{% endmacro %}

{% macro check_source(where, source, names_before) %}
    {%- if source is not mapping -%}
        {{ refuse(
            where ~ ' is ' ~ in_json(source)
            ~ '; write keys and values, e.g. {"name": "web", "events": "web/*.parquet"}'
        ) }}
    {%- endif -%}
    {%- do check_keys(where, source, ['name', 'adapter', 'events', 'relation', 'loaded_at'], ['name']) -%}
    {%- do check_adapter(where, source.get('adapter', 'canonical')) -%}
    {%- if source.name in names_before -%}
        {{ refuse(where ~ ': name "' ~ source.name ~ '" is given twice') }}
    {%- endif -%}
    {%- if ('events' in source) == ('relation' in source) -%}
        {{ refuse(where ~ ' (' ~ source.name ~ ') needs either events (a path or glob) or relation') }}
    {%- endif -%}
    {%- if 'loaded_at' in source and 'relation' not in source -%}
        {{ refuse(where ~ ' (' ~ source.name ~ '): loaded_at is a column of a relation; files need none') }}
    {%- endif -%}
{% endmacro %}

{% macro check_adapter(where, name) %}
    {%- if name not in adapter_names() -%}
        {{ refuse(
            where ~ ': unknown adapter "' ~ name ~ '"; did you mean "'
            ~ nearest_name(name, adapter_names()) ~ '"? Valid: ' ~ adapter_names() | join(', ')
        ) }}
    {%- endif -%}
{% endmacro %}
