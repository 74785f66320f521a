{# Raw events as a relation with at least the canonical columns, whatever the file holds.
   path: path or glob; relation: a relation's name instead (empty: read path).
   Absent optional columns are NULL; times that are timestamps already come as such in place of
   text, which costs ten times as much; NDJSON is read line by line and CSV as text, so that no
   type guessing decides what a value is and a broken line stays countable. #}
{% macro read_events(path, relation) %}
    {{ return(adapter.dispatch('read_events', 'foretell')(path, relation)) }}
{% endmacro %}

{% macro duckdb__read_events(path, relation) %}
    {%- set bare = path.split('?')[0] | lower | replace('.gz', '') | replace('.zst', '') -%}
    {%- set canonical = canonical_event_columns() -%}
    {#- A fresh clone has no demo events yet and builds with none; events somebody named must exist. -#}
    {%- set is_demo = path == 'warehouse/demo_events/*.parquet' and not env_var('FORETELL_EVENTS', '') -%}
    {%- set if_empty = ', allow_empty = true' if is_demo else '' -%}
    {%- if relation -%}
        {{ with_canonical_columns('select *, ' ~ sql_string(relation) ~ ' as source_file from ' ~ relation, canonical) }}
    {%- elif bare.endswith('.parquet') -%}
        {{ with_canonical_columns(
            'select * from read_parquet(' ~ sql_string(path) ~ ', union_by_name = true, '
            ~ "filename = 'source_file'" ~ if_empty ~ ')',
            canonical
        ) }}
    {%- elif bare.endswith('.csv') or bare.endswith('.tsv') -%}
        {{ with_canonical_columns(
            'select * from read_csv(' ~ sql_string(path) ~ ', all_varchar = true, header = true, '
            ~ "union_by_name = true, max_line_size = 16777216, filename = 'source_file')",
            canonical
        ) }}
    {%- elif bare.endswith('.ndjson') or bare.endswith('.jsonl') or bare.endswith('.json') -%}
        (
            select
                {% for column in canonical -%}
                json_extract_string(case when json_valid(line) then line end, '$.{{ column }}')
                    as {{ column }},
                {% endfor -%}
                cast(null as timestamp) as event_timestamp,
                cast(null as timestamp) as received_timestamp,
                line as raw_row,
                not json_valid(line) as is_broken,
                source_file
            from read_csv(
                {{ sql_string(path) }}, columns = {'line': 'VARCHAR'}, header = false,
                auto_detect = false, delim = '\x01', quote = '', escape = '', nullstr = '\x02',
                strict_mode = false, max_line_size = 67108864, filename = 'source_file'
            )
        )
    {%- else -%}
        {{ refuse(
            'FORETELL_EVENTS=' ~ path ~ ': cannot tell the format. Name files ending in .parquet, .ndjson, '
            ~ '.jsonl, .json, .csv or .tsv (also .gz), e.g. events/*.parquet'
        ) }}
    {%- endif -%}
{% endmacro %}

{% macro default__read_events(path, relation) %}
    {{ exceptions.raise_compiler_error("read_events: add " ~ target.type) }}
{% endmacro %}

{# The columns of the input contract (DESIGN.md section 4). #}
{% macro canonical_event_columns() %}
    {{ return([
        'event_id', 'user_id', 'device_id', 'event_name', 'event_time', 'received_at',
        'event_properties', 'user_properties',
    ]) }}
{% endmacro %}

{# DuckDB only: the union by name adds absent columns as untyped NULL, without asking the file at
   compile time; to_json turns structs and text alike into JSON, ->> '$' unwraps text again. #}
{% macro with_canonical_columns(rows, columns) %}
        (
            select
                {% for column in columns -%}
                {% if column in ('event_properties', 'user_properties') -%}
                to_json({{ column }}) ->> '$' as {{ column }},
                {% elif column in ('event_time', 'received_at') -%}
                case when typeof({{ column }}) not like 'TIMESTAMP%' then cast({{ column }} as varchar) end
                    as {{ column }},
                {% else -%}
                cast({{ column }} as varchar) as {{ column }},
                {% endif -%}
                {% endfor -%}
                {% for name, column in [('event', 'event_time'), ('received', 'received_at')] -%}
                case when typeof({{ column }}) like 'TIMESTAMP%' then try_cast({{ column }} as timestamp) end
                    as {{ name }}_timestamp,
                {% endfor -%}
                cast(null as varchar) as raw_row,
                false as is_broken,
                source_file
            from (
                select * from (
                    select {% for column in columns %}null as {{ column }}, {% endfor %}'' as source_file
                ) where false
                union all by name
                {{ rows }}
            )
        )
{% endmacro %}

{# The files that read_events reads, as a FROM item: source_file (as stg_raw_events names it), n_bytes,
   modified_at; of a relation its name. Contents are not read. #}
{% macro list_event_files(path, relation) %}
    {{ return(adapter.dispatch('list_event_files', 'foretell')(path, relation)) }}
{% endmacro %}

{% macro duckdb__list_event_files(path, relation) %}
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

{% macro default__list_event_files(path, relation) %}
    {{ exceptions.raise_compiler_error("list_event_files: add " ~ target.type) }}
{% endmacro %}
