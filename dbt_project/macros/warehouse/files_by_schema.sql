{# Parquet files of one source, grouped by schema: a list of sources, {…, files, types}. The values of a file
   must not depend on the other files of the glob, so each group is converted to text by itself. Read together,
   a column would get the type of the union: 1001 becomes 1001.0, a struct of whole numbers rounds 12.75 of the
   next file, "0007" becomes 7. types: columns of a group to be cast when they are read. Other formats and
   relations are one group; files: without the torn ones, if any. columns, more_columns: as in read_rows. #}
{% macro files_by_schema(source, columns, more_columns) %}
    {{ return(adapter.dispatch('files_by_schema', 'foretell')(source, columns, more_columns)) }}
{% endmacro %}

{% macro duckdb__files_by_schema(source, columns, more_columns) %}
    {%- if not execute -%}{{ return([source]) }}{%- endif -%}
    {%- if source.relation -%}
        {%- set described = described_columns(source.relation, columns, more_columns) -%}
        {{ return([dict(source, types=exact_types(described))]) }}
    {%- endif -%}
    {%- if not source.events.split('?')[0].lower().endswith('.parquet') -%}
        {{ return([dict(source, files=duckdb__readable_files(source))]) }}
    {%- endif -%}
    {%- set listed = 'glob(' ~ sql_string(source.events) ~ ')' -%}
    {%- if source.may_be_absent and not run_query('select 1 from ' ~ listed ~ ' limit 1').rows -%}
        {{ return([source]) }}
    {%- endif -%}
    {%- set readable = duckdb__readable_files(source) -%}
    {%- if readable is not none and not readable -%}
        {{ refuse(source.events ~ ': no file can be read, e.g. ' ~ torn_files() | first) }}
    {%- endif -%}
    {%- set signatures -%}
        select
            file_name,
            md5(string_agg(
                concat_ws('|', name, duckdb_type, type, num_children, converted_type, logical_type),
                ',' order by column_id
            )) as signature
        from parquet_schema({{ sql_string(source.events) if readable is none else duckdb__list_of_texts(readable) }})
        group by file_name
    {%- endset -%}
    {%- set examples = run_query(
        'select signature, min(file_name) from (' ~ signatures ~ ') as files group by signature order by 2'
    ).rows -%}
    {#- Files that differ only in columns that are not read belong to one group. -#}
    {%- set groups = {} -%}
    {%- for signature, file in examples -%}
        {%- set described = described_columns(
            'read_parquet(' ~ sql_string(file) ~ ')', columns, more_columns
        ) -%}
        {%- set group = groups.setdefault(tojson(described, sort_keys=true), {'types': described, 'signatures': []}) -%}
        {%- do group.signatures.append(signature) -%}
    {%- endfor -%}
    {%- if groups | length == 1 -%}
        {{ return([dict(source, files=readable, types=exact_types((groups.values() | list)[0].types))]) }}
    {%- endif -%}
    {%- set parts = [] -%}
    {%- for group in groups.values() -%}
        {%- set files = [] -%}
        {%- for row in run_query(
            'select file_name from (' ~ signatures ~ ") as files where signature in ('"
            ~ group.signatures | join("', '") ~ "') order by 1"
        ).rows -%}
            {%- do files.append(row[0]) -%}
        {%- endfor -%}
        {%- do parts.append(dict(source, files=files, types=exact_types(group.types))) -%}
    {%- endfor -%}
    {{ return(parts) }}
{% endmacro %}

{# Torn files, which are no valid file of their format, with the reason: half written, or cut off by a full
   disk. `foretell` finds them before each build (models_ml/foretell/sources/torn_files.py). They are left out
   and listed (ingest_alarms) until they are complete. #}
{% macro torn_files() %}{{ return(fromjson(env_var('FORETELL_TORN_FILES', '') or '{}')) }}{% endmacro %}

{# DuckDB only: the files of a source without the torn ones; none if no file is torn. #}
{% macro duckdb__readable_files(source) %}
    {%- if not torn_files() -%}{{ return(none) }}{%- endif -%}
    {%- set files, n_torn = [], namespace(n=0) -%}
    {%- for row in run_query('select file from glob(' ~ sql_string(source.events) ~ ') order by 1').rows -%}
        {%- if row[0] in torn_files() -%}{%- set n_torn.n = n_torn.n + 1 -%}{%- else -%}{%- do files.append(row[0]) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(files if n_torn.n else none) }}
{% endmacro %}

{% macro duckdb__list_of_texts(texts) %}
    {%- set quoted = [] -%}
    {%- for text in texts -%}{%- do quoted.append(sql_string(text)) -%}{%- endfor -%}
    {{ return('[' ~ quoted | join(', ') ~ ']') }}
{% endmacro %}

{# DuckDB only: those of the columns to read that exist, with their types. #}
{% macro described_columns(rows, columns, more_columns) %}
    {%- set types = {} -%}
    {%- for row in run_query('describe select * from ' ~ rows).rows
        if row[0] | lower in columns | map('lower') or (more_columns and modules.re.fullmatch(more_columns, row[0])) -%}
        {%- do types.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {{ return(types) }}
{% endmacro %}

{# DuckDB only: the types to cast columns to that have whole numbers as decimals (as Snowflake writes them),
   because they would be written into JSON as a double, which has 15 digits. Names are in quotes: text inside
   quotes is no type. #}
{% macro exact_types(types) %}
    {%- set casts = {} -%}
    {%- for column, type in types.items() -%}
        {%- set parts = [] -%}
        {%- for part in type.split('"') -%}
            {%- do parts.append(modules.re.sub('DECIMAL\\(\\d+,0\\)', 'HUGEINT', part) if loop.index is odd else part) -%}
        {%- endfor -%}
        {%- if parts | join('"') != type -%}{%- do casts.update({column: parts | join('"')}) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(casts) }}
{% endmacro %}

{# Spark reads the schemas of files one after the other. If there are more files than this, Spark merges their
   schemas itself and refuses incompatible types. #}
{% macro spark__files_by_schema(source, columns, more_columns) %}
    {%- if not execute or source.relation -%}{{ return([source]) }}{%- endif -%}
    {%- if not source.events.lower().endswith('.parquet') -%}
        {%- if not torn_files() -%}{{ return([source]) }}{%- endif -%}
        {{ return([dict(source, files=spark__readable_files(source.events))]) }}
    {%- endif -%}
    {%- set files = spark__readable_files(source.events) -%}
    {%- if files | length > 200 or files == [source.events] -%}{{ return([source]) }}{%- endif -%}
    {%- set groups = {} -%}
    {%- for file in files -%}
        {%- set types = {} -%}
        {%- for row in run_query('describe query select * from ' ~ spark__files('parquet', file, {})).rows
            if row[0] | lower in columns | map('lower') or (more_columns and modules.re.fullmatch(more_columns, row[0])) -%}
            {%- do types.update({row[0]: row[1]}) -%}
        {%- endfor -%}
        {%- do groups.setdefault(tojson(types, sort_keys=true), []).append(file) -%}
    {%- endfor -%}
    {%- if groups | length == 1 and not torn_files() -%}{{ return([source]) }}{%- endif -%}
    {%- set parts = [] -%}
    {%- for files in groups.values() -%}{%- do parts.append(dict(source, files=files)) -%}{%- endfor -%}
    {{ return(parts) }}
{% endmacro %}

{# Spark only: the paths that a glob matches, without the torn ones. #}
{% macro spark__readable_files(path) %}
    {{ return(spark__listed_files(path) | reject('in', torn_files()) | list) }}
{% endmacro %}

{% macro default__files_by_schema(source, columns, more_columns) %}
    {{ exceptions.raise_compiler_error("files_by_schema: add " ~ target.type) }}
{% endmacro %}
