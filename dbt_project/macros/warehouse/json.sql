{# True where text is a JSON object. Broken JSON gives false, NULL gives NULL. #}
{% macro is_json_object(text) %}{{ return(adapter.dispatch('is_json_object', 'foretell')(text)) }}{% endmacro %}
{% macro duckdb__is_json_object(text) %}
case
    when json_valid({{ text }}) then json_type({{ text }}) = 'OBJECT'
    when {{ text }} is not null then false
end
{%- endmacro %}
{# from_json ignores what follows the closing brace. -#}
{% macro spark__is_json_object(text) %}
case
    when {{ text }} is not null
        then {{ spark__json_map(text) }} is not null and {{ text }} rlike '[}][{{ " \t\r\n" }}]*$'
end
{%- endmacro %}
{% macro default__is_json_object(text) %}{{ exceptions.raise_compiler_error("is_json_object: add " ~ target.type) }}{% endmacro %}

{# The value of one top-level key of a JSON object, as text (strings unquoted). key: SQL expression of a text,
   which may contain any character (JSON pointer, RFC 6901). #}
{% macro json_value(text, key) %}{{ return(adapter.dispatch('json_value', 'foretell')(text, key)) }}{% endmacro %}
{% macro duckdb__json_value(text, key) %}
json_extract_string({{ text }}, '/' || replace(replace({{ key }}, '~', '~0'), '/', '~1'))
{%- endmacro %}
{% macro spark__json_value(text, key) %}try_element_at({{ spark__json_map(text) }}, {{ key }}){% endmacro %}
{% macro default__json_value(text, key) %}{{ exceptions.raise_compiler_error("json_value: add " ~ target.type) }}{% endmacro %}

{# One row per top-level key of a JSON object: the listed columns, property, value (text).
   Two unnests side by side: 4 x cheaper than a MAP, 10 x cheaper than json_each
   (docs/decisions/0003). #}
{% macro json_pairs(relation, json_column, columns) %}
    {{ return(adapter.dispatch('json_pairs', 'foretell')(relation, json_column, columns)) }}
{% endmacro %}
{% macro duckdb__json_pairs(relation, json_column, columns) %}
    select
        {% for column in columns %}{{ column }}, {% endfor %}
        unnest(json_keys({{ json_column }})) as property,
        unnest(json_extract_string({{ json_column }}, '$.*')) as value
    from {{ relation }}
{% endmacro %}
{% macro spark__json_pairs(relation, json_column, columns) %}
    select
        {% for column in columns %}{{ column }}, {% endfor %}
        property,
        value
    from {{ relation }}
    lateral view explode({{ spark__json_map(json_column) }}) as property, value
{% endmacro %}
{% macro default__json_pairs(relation, json_column, columns) %}
    {{ exceptions.raise_compiler_error("json_pairs: add " ~ target.type) }}
{% endmacro %}

{# The same pairs, counted: the listed columns, property, value, is_string (whether JSON had it in quotes),
   n_pairs. Grouped before values are unquoted, which costs more. #}
{% macro json_counted_pairs(relation, json_column, columns) %}
    {{ return(adapter.dispatch('json_counted_pairs', 'foretell')(relation, json_column, columns)) }}
{% endmacro %}
{% macro duckdb__json_counted_pairs(relation, json_column, columns) %}
    select
        {% for column in columns %}{{ column }}, {% endfor %}
        property,
        raw_value ->> '$' as value,
        starts_with(cast(raw_value as varchar), '"') as is_string,
        n_pairs
    from (
        select {% for column in columns %}{{ column }}, {% endfor %}property, raw_value, count(*) as n_pairs
        from (
            select
                {% for column in columns %}{{ column }}, {% endfor %}
                unnest(json_keys({{ json_column }})) as property,
                unnest(json_extract({{ json_column }}, '$.*')) as raw_value
            from {{ relation }}
        ) as pairs
        group by all
    ) as counted
{% endmacro %}
{% macro spark__json_counted_pairs(relation, json_column, columns) %}
    select
        {% for column in columns %}{{ column }}, {% endfor %}
        property,
        value,
        coalesce(
            schema_of_variant(try_element_at(
                from_json({{ json_column }}, 'map<string, variant>', {{ spark__json_options() }}), property
            )) = 'STRING', false
        ) as is_string,
        count(*) as n_pairs
    from {{ relation }}
    lateral view explode({{ spark__json_map(json_column) }}) as property, value
    group by all
{% endmacro %}
{% macro default__json_counted_pairs(relation, json_column, columns) %}
    {{ exceptions.raise_compiler_error("json_counted_pairs: add " ~ target.type) }}
{% endmacro %}

{# The named columns of the current row as one JSON object, as text. #}
{% macro json_of(columns) %}{{ return(adapter.dispatch('json_of', 'foretell')(columns)) }}{% endmacro %}
{% macro duckdb__json_of(columns) %}
cast(json_object(
    {%- for column in columns %}'{{ column }}', {{ column }}{{ ', ' if not loop.last }}{% endfor -%}
) as varchar)
{%- endmacro %}
{% macro spark__json_of(columns) %}
to_json(named_struct(
    {%- for column in columns %}'{{ column }}', cast({{ column }} as string){{ ', ' if not loop.last }}{% endfor -%}
), map('ignoreNullFields', 'false'))
{%- endmacro %}
{% macro default__json_of(columns) %}{{ exceptions.raise_compiler_error("json_of: add " ~ target.type) }}{% endmacro %}

{# Spark only: the top-level keys of a JSON object with their values as text; NULL where it is none.
   A map keeps keys that repeat, and finds the first. #}
{% macro spark__json_map(text) %}from_json({{ text }}, 'map<string, string>', {{ spark__json_options() }}){% endmacro %}
{% macro spark__json_options() %}map('allowSingleQuotes', 'false'){% endmacro %}
