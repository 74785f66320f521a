{# The rows of a file or relation as they are. A FROM item with the named columns (NULL where the file
   has none), row_json (more columns as one JSON object, as text), source_file (the file, or the
   relation's name), loaded_at (when the row came into the relation, else NULL), raw_row (the original
   as text where there is one) and is_broken.
   source: {events: path or glob, or relation: a relation's name; loaded_at: its column that says when
   a row came, if it has one; may_be_absent: no file is no rows} (event_sources); columns: names as in
   the file; more_columns: regular expression of the names in row_json, which must match some; may
   hold others too.
   NDJSON is read line by line and CSV as text, so that no type guessing decides what a value is and
   a broken line stays countable; all its columns are text. Other columns keep their types. #}
{% macro read_rows(source, columns, more_columns) %}
    {{ return(adapter.dispatch('read_rows', 'foretell')(source, columns, more_columns)) }}
{% endmacro %}

{% macro duckdb__read_rows(source, columns, more_columns) %}
    {%- set path = source.events -%}
    {%- set bare = path.split('?')[0] | lower -%}
    {%- set is_compressed = bare.endswith('.gz') or bare.endswith('.zst') -%}
    {%- set ending = '.' ~ (bare | replace('.gz', '') | replace('.zst', '')).split('.')[-1] -%}
    {%- if source.relation -%}
        {{ duckdb__read_typed_rows(
            'select *, ' ~ sql_string(source.relation) ~ ' as source_file, '
            ~ loading_time(source) ~ ' as foretell_loaded_at from ' ~ source.relation,
            columns, more_columns
        ) }}
    {%- elif ending == '.parquet' -%}
        {{ duckdb__read_typed_rows(
            'select * from read_parquet(' ~ sql_string(path) ~ ", filename = 'source_file', "
            ~ 'union_by_name = true' ~ (', allow_empty = true' if source.may_be_absent else '') ~ ')',
            columns, more_columns
        ) }}
    {%- elif ending in ('.csv', '.tsv') -%}
        {{ duckdb__read_typed_rows(
            'select * from read_csv(' ~ sql_string(path) ~ ", filename = 'source_file', "
            ~ 'all_varchar = true, header = true, union_by_name = true, max_line_size = 16777216)',
            columns, more_columns
        ) }}
    {%- elif ending in ('.ndjson', '.jsonl', '.json') or is_compressed -%}
        {{ duckdb__read_lines(path, columns) }}
    {%- else -%}
        {{ refuse(
            'FORETELL_EVENTS=' ~ path ~ ': cannot tell the format. Name files ending in .parquet, .ndjson, '
            ~ '.jsonl, .json, .csv or .tsv (also .gz), e.g. events/*.parquet'
        ) }}
    {%- endif -%}
{% endmacro %}

{% macro default__read_rows(source, columns, more_columns) %}
    {{ exceptions.raise_compiler_error("read_rows: add " ~ target.type) }}
{% endmacro %}

{# The union by name adds absent columns as untyped NULL, without asking the file at compile time. #}
{% macro duckdb__read_typed_rows(rows, columns, more_columns) %}
(
    select
        {{ columns | join(', ') }},
        {% if more_columns -%}
        cast(to_json(struct_pack(*columns(
            lambda name: name not in ('source_file', 'foretell_loaded_at')
                and regexp_full_match(name, '{{ more_columns }}')
        ))) as varchar) as row_json,
        {% endif -%}
        source_file,
        foretell_loaded_at as loaded_at,
        cast(null as varchar) as raw_row,
        false as is_broken
    from (
        select * from (
            select {% for column in columns %}null as {{ column }}, {% endfor -%}
                cast(null as varchar) as source_file,
                cast(null as timestamp) as foretell_loaded_at
        ) where false
        union all by name
        {{ rows }}
    )
)
{% endmacro %}

{# One call for all keys of a line: 2.6 x cheaper than a call per key. #}
{% macro duckdb__read_lines(path, columns) %}
(
    select
        {% for column in columns -%}
        found[{{ loop.index }}] as {{ column }},
        {% endfor -%}
        line as row_json,
        source_file,
        cast(null as timestamp) as loaded_at,
        line as raw_row,
        found is null as is_broken
    from (
        select
            line,
            source_file,
            try(json_extract_string(line, [
                {%- for column in columns %}'/{{ column }}'{{ ', ' if not loop.last }}{% endfor -%}
            ])) as found
        from read_csv(
            {{ sql_string(path) }}, columns = {'line': 'VARCHAR'}, header = false,
            auto_detect = false, delim = '\x01', quote = '', escape = '', nullstr = '\x02',
            strict_mode = false, max_line_size = 67108864, filename = 'source_file'
        )
    )
)
{% endmacro %}
