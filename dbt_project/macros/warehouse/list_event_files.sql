{# The files of all sources (event_sources), as a FROM item: source, source_file (as stg_raw_events names
   it), n_bytes, modified_at; of a relation its name. Contents are not read. #}
{% macro list_event_files() %}
(
    {%- for source in event_sources() %}
    select
        {{ sql_string(source.name) }} as source,
        files.source_file,
        files.n_bytes,
        files.modified_at
    from {{ list_files(source.events, source.relation) }} as files
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)
{%- endmacro %}

{% macro list_files(path, relation) %}
    {{ return(adapter.dispatch('list_files', 'foretell')(path, relation)) }}
{% endmacro %}

{% macro duckdb__list_files(path, relation) %}
(
    {%- if relation %}
    select
        {{ sql_string(relation) }} as source_file,
        cast(null as bigint) as n_bytes,
        cast(null as timestamp) as modified_at
    {%- else %}
    select
        filename as source_file,
        cast(size as bigint) as n_bytes,
        cast(last_modified at time zone 'UTC' as timestamp) as modified_at
    from read_blob({{ sql_string(path) }})
    {%- endif %}
)
{%- endmacro %}

{% macro default__list_files(path, relation) %}
    {{ exceptions.raise_compiler_error("list_files: add " ~ target.type) }}
{% endmacro %}
