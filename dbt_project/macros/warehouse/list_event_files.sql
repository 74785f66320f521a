{# The files of all sources (event_sources), as a FROM item: source, adapter, source_file (as in
   stg_raw_events), n_bytes, modified_at. Contents are not read; torn files are left out. A relation has one row
   with its name and, if it has a column loaded_at, the newest loaded_at. #}
{% macro list_event_files() %}
(
    {%- for source in event_sources() %}
    select
        {{ sql_string(source.name) }} as source,
        {{ sql_string(source.adapter) }} as adapter,
        files.source_file,
        files.n_bytes,
        files.modified_at
    from {{ list_files(source) }} as files
    {%- if torn_files() %}
    where files.source_file not in (
        {%- for file in torn_files() %}{{ sql_string(file) }}{{ ', ' if not loop.last }}{% endfor -%}
    )
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)
{%- endmacro %}

{% macro list_files(source) %}
    {{ return(adapter.dispatch('list_files', 'foretell')(source)) }}
{% endmacro %}

{% macro duckdb__list_files(source) %}
(
    {%- if source.relation %}
    select
        {{ sql_string(source.relation_name) }} as source_file,
        cast(null as bigint) as n_bytes,
        {% if source.loaded_at -%}
        (select max({{ loading_time(source) }}) from {{ source.relation }}) as modified_at
        {%- else -%}
        cast(null as timestamp) as modified_at
        {%- endif %}
    {%- else %}
    select
        filename as source_file,
        cast(size as bigint) as n_bytes,
        cast(last_modified at time zone 'UTC' as timestamp) as modified_at
    from read_blob({{ sql_string(source.events) }})
    {%- endif %}
)
{%- endmacro %}

{# The content of a binaryFile is read only if it is selected. #}
{% macro spark__list_files(source) %}
(
    {%- if source.relation %}
    select
        {{ sql_string(source.relation_name) }} as source_file,
        cast(null as bigint) as n_bytes,
        {% if source.loaded_at -%}
        (select max({{ loading_time(source) }}) from {{ source.relation }}) as modified_at
        {%- else -%}
        cast(null as timestamp) as modified_at
        {%- endif %}
    {%- else %}
    select
        {{ spark__file_name() }} as source_file,
        _metadata.file_size as n_bytes,
        _metadata.file_modification_time as modified_at
    from {{ spark__files('binaryFile', source.events, {}) }}
    {%- endif %}
)
{%- endmacro %}

{# Spark only: the path of the current file as it was given, neither a URL nor escaped as one. #}
{% macro spark__file_name() %}
regexp_replace(url_decode(replace(_metadata.file_path, '+', '%2B')), '^file:(//)?', '')
{%- endmacro %}

{% macro default__list_files(source) %}
    {{ exceptions.raise_compiler_error("list_files: add " ~ target.type) }}
{% endmacro %}

{# When a row was loaded into a relation: a UTC timestamp, as SQL. source: of event_sources. #}
{% macro loading_time(source) %}
    {%- if not source.loaded_at -%}{{ return('cast(null as timestamp)') }}{%- endif -%}
    {{ return(adapter.dispatch('loading_time', 'foretell')(source.loaded_at)) }}
{% endmacro %}
{% macro duckdb__loading_time(column) %}
cast({{ '"' ~ (column | replace('"', '""')) ~ '"' }} as timestamp)
{%- endmacro %}
{% macro spark__loading_time(column) %}cast({{ '`' ~ (column | replace('`', '``')) ~ '`' }} as timestamp){% endmacro %}
{% macro default__loading_time(column) %}{{ exceptions.raise_compiler_error("loading_time: add " ~ target.type) }}{% endmacro %}
