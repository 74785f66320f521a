{# The sources of raw events: a list of {name, adapter, events, relation, relation_name, loaded_at, may_be_absent}, from
   the setting `sources`, else from `events`, `events_relation` and `adapter`. relation is SQL, relation_name as it
   was written. Invalid settings are refused. #}
{% macro event_sources() %}
    {%- set named = named_input() -%}
    {%- if named != 'sources' -%}
        {%- do check_adapter('FORETELL_ADAPTER', setting('adapter')) -%}
        {%- set source = {
            'name': setting('adapter'), 'adapter': setting('adapter'),
            'events': '', 'relation': '', 'relation_name': '', 'may_be_absent': not named,
        } -%}
        {%- if named == 'events_relation' or is_reference(setting('events')) -%}
            {%- set written = setting(named) -%}
            {%- do source.update({'relation': relation_of(written), 'relation_name': written}) -%}
        {%- elif named -%}
            {%- do source.update({'events': setting('events')}) -%}
        {%- else -%}
            {#- A fresh clone has no demo events yet and builds without them; events that a setting names must
               exist. -#}
            {%- set demo = env_var('FORETELL_DEMO_EVENTS', '') or 'warehouse/demo_events/*.parquet' -%}
            {%- do source.update({'events': demo}) -%}
        {%- endif -%}
        {{ return([source]) }}
    {%- endif -%}
    {%- set given = setting('sources') -%}
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
            'events': source.get('events', ''),
            'relation': relation_of(source.get('relation', '')), 'relation_name': source.get('relation', ''),
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

{# True of ref('model') and source('source', 'table'), as text. #}
{% macro is_reference(written) %}
    {{ return(modules.re.fullmatch(reference_pattern(), written) is not none) }}
{% endmacro %}
{% macro reference_pattern() %}
    {{- return("\\s*(ref|source)\\(\\s*['\"]([^'\"]+)['\"]\\s*(?:,\\s*['\"]([^'\"]+)['\"]\\s*)?\\)\\s*") -}}
{% endmacro %}

{# The SQL of a relation: its name as it was written, or what ref and source give, so that the lineage is known. #}
{% macro relation_of(written) %}
    {%- set found = modules.re.fullmatch(reference_pattern(), written) -%}
    {%- if not found -%}{{ return(written) }}{%- endif -%}
    {%- set kind, first, second = found.groups() -%}
    {%- if execute and model.resource_type == 'operation' -%}
        {{ return(relation_in_graph(kind, first, second)) }}
    {%- elif kind == 'source' -%}
        {{ return(source(first, second) | string) }}
    {%- endif -%}
    {{ return((ref(first, second) if second else ref(first)) | string) }}
{% endmacro %}

{# The same in a hook, where dbt knows no ref: empty if there is no such model or source. #}
{% macro relation_in_graph(kind, first, second) %}
    {%- set nodes = graph.sources if kind == 'source' else graph.nodes -%}
    {%- for node in nodes.values() if node.name == (second or first) -%}
        {%- if not second or first in [node.package_name, node.source_name] -%}{{ return(node.relation_name) }}{%- endif -%}
    {%- endfor -%}
    {{ return('') }}
{% endmacro %}
