{# The rows of a file or relation, unchanged. A FROM item with the named columns (NULL if the file does not have
   one), row_json (more columns as one JSON object, as text), source_file (the file, or the relation's name),
   loaded_at (when the row was loaded into the relation, else NULL), raw_row (the original as text if there is
   one) and is_broken. source: {events: path or glob, or relation: a relation's name; loaded_at: its column with
   the time at which a row was loaded, if it has one; may_be_absent: if true, missing files count as no rows}
   (event_sources), and for files of several schemas {files: a list of paths, types: columns to be cast}
   (files_by_schema); columns: names as in the file; more_columns: regular expression of the names in row_json,
   which must match at least one. NDJSON is read line by line and CSV as text, so that no type guessing changes
   values and a broken line can still be counted; all its columns are text. Other formats keep their types. #}
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
            'select ' ~ duckdb__all_columns(source.types) ~ ', ' ~ sql_string(source.relation_name) ~ ' as source_file, '
            ~ loading_time(source) ~ ' as foretell_loaded_at from ' ~ source.relation,
            columns, more_columns
        ) }}
    {%- elif ending == '.parquet' -%}
        {{ duckdb__read_typed_rows(
            'select ' ~ duckdb__all_columns(source.types) ~ ' from read_parquet('
            ~ duckdb__paths(source) ~ ", filename = 'source_file', "
            ~ 'union_by_name = true' ~ (', allow_empty = true' if source.may_be_absent else '') ~ ')',
            columns, more_columns
        ) }}
    {%- elif ending in ('.csv', '.tsv') -%}
        {{ duckdb__read_typed_rows(
            'select * from read_csv(' ~ duckdb__paths(source) ~ ", filename = 'source_file', "
            ~ 'all_varchar = true, header = true, union_by_name = true, max_line_size = 16777216)',
            columns, more_columns
        ) }}
    {%- elif ending in ('.ndjson', '.jsonl', '.json') or is_compressed -%}
        {{ duckdb__read_lines(duckdb__paths(source), columns) }}
    {%- else -%}
        {{ refuse(
            'FORETELL_EVENTS=' ~ path ~ ': cannot tell the format. Name files ending in .parquet, .ndjson, '
            ~ '.jsonl, .json, .csv or .tsv (also .gz), e.g. events/*.parquet'
        ) }}
    {%- endif -%}
{% endmacro %}

{% macro spark__read_rows(source, columns, more_columns) %}
    {%- set bare = source.events | lower -%}
    {%- set ending = '.' ~ (bare | replace('.gz', '')).split('.')[-1] -%}
    {%- if source.relation -%}
        {{ spark__read_typed_rows(
            source.relation, columns, more_columns, sql_string(source.relation_name), loading_time(source)
        ) }}
    {%- elif ending == '.parquet' -%}
        {%- set each = [] -%}
        {%- for file in source.files or [source.events] -%}
            {%- set options = {} if source.files else {'mergeSchema': 'true'} -%}
            {%- do each.append(
                'select * from ' ~ spark__read_files(spark__files('parquet', file, options), columns, more_columns)
            ) -%}
        {%- endfor -%}
        ({{ each | join(' union all ') }})
    {%- elif ending in ('.csv', '.tsv') -%}
        {#- Read together, all groups would have the columns of one of them. -#}
        {%- set options = {
            'header': 'true', 'multiLine': 'true', 'escape': '"', 'sep': '\t' if ending == '.tsv' else ',',
        } -%}
        {%- set each = [] -%}
        {%- for file in source.files or spark__listed_files(source.events) -%}
            {%- do each.append(
                'select * from ' ~ spark__read_files(spark__files('csv', file, options), columns, more_columns)
            ) -%}
        {%- endfor -%}
        ({{ each | join(' union all ') }})
    {%- elif ending in ('.ndjson', '.jsonl', '.json') -%}
        {%- set each = [] -%}
        {%- for file in source.files or [source.events] -%}
            {%- do each.append('select * from ' ~ spark__read_lines(spark__files('text', file, {}), columns)) -%}
        {%- endfor -%}
        ({{ each | join(' union all ') }})
    {%- else -%}
        {{ refuse(
            'FORETELL_EVENTS=' ~ source.events ~ ': cannot tell the format. Name files ending in .parquet, '
            ~ '.ndjson, .jsonl, .json, .csv or .tsv (text also .gz), e.g. events/*.parquet'
        ) }}
    {%- endif -%}
{% endmacro %}

{% macro default__read_rows(source, columns, more_columns) %}
    {{ exceptions.raise_compiler_error("read_rows: add " ~ target.type) }}
{% endmacro %}

{# DuckDB only: the FROM item of a source, as SQL: its files, or all files that its path matches. #}
{% macro duckdb__paths(source) %}
    {{ return(duckdb__list_of_texts(source.files) if source.files else sql_string(source.events)) }}
{% endmacro %}

{# DuckDB only: all columns, with those named in types cast to these types. #}
{% macro duckdb__all_columns(types) %}
    {%- set casts = [] -%}
    {%- for column, type in (types or {}).items() -%}
        {%- set quoted = '"' ~ (column | replace('"', '""')) ~ '"' -%}
        {%- do casts.append('cast(' ~ quoted ~ ' as ' ~ type ~ ') as ' ~ quoted) -%}
    {%- endfor -%}
    {{ return('*' ~ (' replace (' ~ casts | join(', ') ~ ')' if casts else '')) }}
{% endmacro %}

{# The union by name adds absent columns as untyped NULL, without reading the file at compile time. #}
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
{% macro duckdb__read_lines(paths, columns) %}
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
            {{ paths }}, columns = {'line': 'VARCHAR'}, header = false,
            auto_detect = false, delim = '\x01', quote = '', escape = '', nullstr = '\x02',
            strict_mode = false, max_line_size = 67108864, filename = 'source_file'
        )
    )
)
{% endmacro %}

{# Spark only: files as a FROM item. path: or glob; options: a mapping. #}
{% macro spark__files(format, path, options) %}
    {%- set settings = [] -%}
    {%- for name, value in options.items() -%}{%- do settings.append(name ~ " = '" ~ value ~ "'") -%}{%- endfor -%}
    {{ return(
        format ~ '.' ~ spark__quoted(path)
        ~ (' with (' ~ settings | join(', ') ~ ')' if settings else '')
    ) }}
{% endmacro %}

{# Spark only: the paths that a glob matches; of any file when nothing is run. #}
{% macro spark__listed_files(path) %}
    {%- set files = [] -%}
    {%- if execute -%}
        {%- for row in run_query(
            'select distinct _metadata.file_path from ' ~ spark__files('binaryFile', path, {}) ~ ' order by 1'
        ).rows -%}
            {%- do files.append(row[0]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(files or [path]) }}
{% endmacro %}

{% macro spark__read_files(files, columns, more_columns) %}
    {{ return(spark__read_typed_rows(
        files, columns, more_columns, spark__file_name(), 'cast(null as timestamp)'
    )) }}
{% endmacro %}

{# Spark only: an absent column is NULL; the existing columns are looked up when the model is compiled. #}
{% macro spark__read_typed_rows(relation, columns, more_columns, source_file, loaded_at) %}
    {%- set there = [] -%}
    {%- if execute -%}
        {%- for row in run_query('describe query select * from ' ~ relation).rows -%}
            {%- do there.append(row[0]) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set lower = there | map('lower') | list -%}
    {%- set more = [] -%}
    {%- for name in there if more_columns and modules.re.fullmatch(more_columns, name) -%}
        {%- do more.append(spark__quoted(name)) -%}
    {%- endfor -%}
(
    select
        {% for column in columns -%}
        {{ spark__quoted(column) if column in lower else 'cast(null as string) as ' ~ column }},
        {% endfor -%}
        {% if more_columns -%}
        {{ 'to_json(struct(' ~ more | join(', ') ~ '))' if more else "'{}'" }} as row_json,
        {% endif -%}
        {{ source_file }} as source_file,
        {{ loaded_at }} as loaded_at,
        cast(null as string) as raw_row,
        false as is_broken
    from {{ relation }}
)
{% endmacro %}

{% macro spark__quoted(name) %}{{ return('`' ~ (name | replace('`', '``')) ~ '`') }}{% endmacro %}

{# Spark only: all keys of a line are found in one pass. #}
{% macro spark__read_lines(relation, columns) %}
(
    select
        {% for column in columns -%}
        try_element_at(found, '{{ column }}') as {{ column }},
        {% endfor -%}
        line as row_json,
        source_file,
        cast(null as timestamp) as loaded_at,
        line as raw_row,
        not {{ spark__is_json_object('line') }} as is_broken
    from (
        select
            value as line,
            {{ spark__json_map('value') }} as found,
            {{ spark__file_name() }} as source_file
        from {{ relation }}
        where value <> ''
    ) as lines
)
{% endmacro %}
