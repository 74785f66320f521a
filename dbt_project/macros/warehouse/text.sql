{# A SQL string literal of exactly `text`, with any quotes it contains. Used for every value from outside
   (paths, names in definitions): data is quoted, never run as code. #}
{% macro sql_string(text) %}{{ return(adapter.dispatch('sql_string', 'foretell')(text)) }}{% endmacro %}
{% macro duckdb__sql_string(text) %}{{ return("'" ~ (text | string | replace("'", "''")) ~ "'") }}{% endmacro %}
{# Written without backslashes: a setting of Spark decides whether they start an escape. #}
{% macro spark__sql_string(text) %}
    {%- set parts = [] -%}
    {%- for part in (text | string).split("\\") -%}
        {%- do parts.append("'" ~ (part | replace("'", "''")) ~ "'") -%}
    {%- endfor -%}
    {{ return(parts[0] if parts | length == 1 else '(' ~ parts | join(' || chr(92) || ') ~ ')') }}
{% endmacro %}
{% macro default__sql_string(text) %}{{ exceptions.raise_compiler_error("sql_string: add " ~ target.type) }}{% endmacro %}

{# True where a text is a truth value; a date or a time as in ISO 8601; a version such as 1.2.3. #}
{% macro is_boolean(text) %}lower({{ text }}) in ('true', 'false'){% endmacro %}
{% macro is_date(text) %}{{ return(adapter.dispatch('matches', 'foretell')(text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?$')) }}{% endmacro %}
{% macro is_version(text) %}{{ return(adapter.dispatch('matches', 'foretell')(text, '^v?[0-9]+([.][0-9]+){1,3}([-+][0-9A-Za-z.-]+)?$')) }}{% endmacro %}
{# True where a text is digits only; where a property name suggests that its values are codes: user_id,
   zip_code, orderNo. #}
{% macro is_whole(text) %}{{ return(adapter.dispatch('matches', 'foretell')(text, '^[0-9]+$')) }}{% endmacro %}
{% macro is_name_of_codes(name) %}{{ return(adapter.dispatch('matches', 'foretell')(name, '(^|_)(id|code|no|ID|CODE|NO)$|[a-z](Id|ID|Code|No)$')) }}{% endmacro %}
{# 1.2 of v1.2.3-beta. #}
{% macro minor_version(text) %}regexp_extract({{ text }}, '^v?([0-9]+[.][0-9]+)', 1){% endmacro %}
{% macro duckdb__matches(text, pattern) %}regexp_matches({{ text }}, '{{ pattern }}'){% endmacro %}
{% macro spark__matches(text, pattern) %}({{ text }} rlike '{{ pattern }}'){% endmacro %}
{% macro default__matches(text, pattern) %}{{ exceptions.raise_compiler_error("matches: add " ~ target.type) }}{% endmacro %}

{# True where all of a text matches a pattern. #}
{% macro matches_whole(text, pattern) %}
    {{ return(adapter.dispatch('matches_whole', 'foretell')(text, pattern)) }}
{% endmacro %}
{% macro duckdb__matches_whole(text, pattern) %}regexp_full_match({{ text }}, {{ sql_string(pattern) }}){% endmacro %}
{% macro spark__matches_whole(text, pattern) %}({{ text }} rlike {{ sql_string('^(?:' ~ pattern ~ ')$') }}){% endmacro %}
{% macro default__matches_whole(text, pattern) %}{{ exceptions.raise_compiler_error("matches_whole: add " ~ target.type) }}{% endmacro %}

{# A text with everything that matches a pattern replaced; in put, $1 is the first group. #}
{% macro replaced_by_pattern(text, pattern, put) %}
    {{ return(adapter.dispatch('replaced_by_pattern', 'foretell')(text, pattern, put)) }}
{% endmacro %}
{% macro duckdb__replaced_by_pattern(text, pattern, put) -%}
regexp_replace({{ text }}, {{ sql_string(pattern) }}, {{ sql_string(put.replace('$', '\\')) }}, 'g')
{%- endmacro %}
{% macro spark__replaced_by_pattern(text, pattern, put) -%}
regexp_replace({{ text }}, {{ sql_string(pattern) }}, {{ sql_string(put) }})
{%- endmacro %}
{% macro default__replaced_by_pattern(text, pattern, put) %}
    {{ exceptions.raise_compiler_error("replaced_by_pattern: add " ~ target.type) }}
{% endmacro %}

{# Number 0 .. buckets - 1 from a hash of a text that is the same on every engine. #}
{% macro hash_bucket(text, buckets) %}{{ return(adapter.dispatch('hash_bucket', 'foretell')(text, buckets)) }}{% endmacro %}
{% macro duckdb__hash_bucket(text, buckets) %}
cast(cast('0x' || substr(md5({{ text }}), 1, 8) as bigint) % {{ buckets }} as integer)
{%- endmacro %}
{% macro spark__hash_bucket(text, buckets) %}
cast(conv(substr(md5({{ text }}), 1, 8), 16, 10) % {{ buckets }} as integer)
{%- endmacro %}
{% macro default__hash_bucket(text, buckets) %}{{ exceptions.raise_compiler_error("hash_bucket: add " ~ target.type) }}{% endmacro %}

{# A bigint of at least 0 from some columns: the same for the same values in one warehouse, but not on another
   engine or version of it. Joins and groups by it cost half of those by text. 63 bits: among ten million values
   two collide with a chance of 1 in 200,000; the unique test of stg_identities detects it. #}
{% macro hash_key(columns) %}{{ return(adapter.dispatch('hash_key', 'foretell')(columns)) }}{% endmacro %}
{% macro duckdb__hash_key(columns) %}cast(hash({{ columns }}) >> 1 as bigint){% endmacro %}
{% macro spark__hash_key(columns) %}(xxhash64({{ columns }}) & 9223372036854775807){% endmacro %}
{% macro default__hash_key(columns) %}{{ exceptions.raise_compiler_error("hash_key: add " ~ target.type) }}{% endmacro %}
