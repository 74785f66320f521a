{# JSON objects taken apart and put together, for the adapters. Each gives JSON text; what is not a
   JSON object (broken, a list, NULL) counts as an empty one. Of equal keys the first stands. #}

{# A column as JSON text, whatever its type: text stays as it is, structs and lists are written out. #}
{% macro json_text(column) %}{{ return(adapter.dispatch('json_text', 'foretell')(column)) }}{% endmacro %}
{% macro duckdb__json_text(column) -%}
case when typeof({{ column }}) = 'VARCHAR' then cast({{ column }} as varchar) else to_json({{ column }}) ->> '$' end
{%- endmacro %}
{% macro default__json_text(column) %}{{ exceptions.raise_compiler_error("json_text: add " ~ target.type) }}{% endmacro %}

{# The value at some keys, one inside the other, as text; NULL also where the text is not JSON.
   keys: names, as text of ours. #}
{% macro json_at(text, keys) %}{{ return(adapter.dispatch('json_at', 'foretell')(text, keys)) }}{% endmacro %}
{% macro duckdb__json_at(text, keys) %}try(json_extract_string({{ text }}, '/{{ keys | join("/") }}')){% endmacro %}
{% macro default__json_at(text, keys) %}{{ exceptions.raise_compiler_error("json_at: add " ~ target.type) }}{% endmacro %}

{# One object with the entries of several; NULL if there are none. texts: SQL expressions. #}
{% macro json_merged(texts) %}{{ return(adapter.dispatch('json_merged', 'foretell')(texts)) }}{% endmacro %}
{% macro duckdb__json_merged(texts) %}
{%- set entries = [] -%}
{%- for text in texts -%}{%- do entries.append(duckdb__json_entries(text)) -%}{%- endfor -%}
{{ duckdb__json_from(entries | join(' || ')) }}
{%- endmacro %}
{% macro default__json_merged(texts) %}{{ exceptions.raise_compiler_error("json_merged: add " ~ target.type) }}{% endmacro %}

{# The entries of an object that have a value (not null) and one of the keys; with `others` those that
   have none of the keys and start with none of the prefixes. NULL if there are none. #}
{% macro json_picked(text, keys, others=false, prefixes=[]) %}
    {{ return(adapter.dispatch('json_picked', 'foretell')(text, keys, others, prefixes)) }}
{% endmacro %}
{% macro duckdb__json_picked(text, keys, others, prefixes) %}
{%- set picked -%}
    list_filter({{ duckdb__json_entries(text) }}, lambda entry:
        json_type(entry[2]) <> 'NULL'
        and {{ 'not ' if others }}(entry[1] in ('{{ keys | join("', '") }}')
            {%- for prefix in prefixes %} or starts_with(entry[1], '{{ prefix }}'){% endfor %}))
{%- endset -%}
{{ duckdb__json_from(picked) }}
{%- endmacro %}
{% macro default__json_picked(text, keys, others, prefixes) %}
    {{ exceptions.raise_compiler_error("json_picked: add " ~ target.type) }}
{% endmacro %}

{# The fields of those objects (or of the first in a list of them) that stand in an object under a key
   that starts with the prefix, side by side, also where that key holds them as text; with `named` a field is called by the rest of that key,
   a point, and its own name. Fields without a value are left out. NULL if there are none. #}
{% macro json_lifted(text, prefix, named=false) %}
    {{ return(adapter.dispatch('json_lifted', 'foretell')(text, prefix, named)) }}
{% endmacro %}
{% macro duckdb__json_lifted(text, prefix, named) %}
{%- set inner = duckdb__json_entries(
    "coalesce(json_extract_string(outer_entry[2] ->> '$', '$[0]'), outer_entry[2] ->> '$')"
) -%}
{%- set lifted -%}
    flatten(list_transform(
        list_filter({{ duckdb__json_entries(text) }},
            lambda outer_entry: starts_with(outer_entry[1], '{{ prefix }}')),
        lambda outer_entry: list_transform(
            list_filter({{ inner }}, lambda entry: json_type(entry[2]) <> 'NULL'),
            lambda entry: row(
                {% if named %}substr(outer_entry[1], {{ prefix | length + 1 }}) || '.' || {% endif %}entry[1],
                entry[2]
            )
        )
    ))
{%- endset -%}
{{ duckdb__json_from(lifted) }}
{%- endmacro %}
{% macro default__json_lifted(text, prefix, named) %}
    {{ exceptions.raise_compiler_error("json_lifted: add " ~ target.type) }}
{% endmacro %}

{# Google's parameters, [{key, value: {string_value | int_value | float_value | double_value}}], as an
   object of key and value. NULL if there are none. #}
{% macro json_of_parameters(text) %}
    {{ return(adapter.dispatch('json_of_parameters', 'foretell')(text)) }}
{% endmacro %}
{% macro duckdb__json_of_parameters(text) %}
{%- set entries -%}
    list_transform(
        coalesce(try(from_json({{ text }}, '[{
            "key": "VARCHAR",
            "value": {"string_value": "VARCHAR", "int_value": "BIGINT", "float_value": "DOUBLE", "double_value": "DOUBLE"}
        }]')), []),
        lambda each: row(each.key, coalesce(
            to_json(each.value.string_value), to_json(each.value.int_value),
            to_json(coalesce(each.value.double_value, each.value.float_value))
        ))
    )
{%- endset -%}
{{ duckdb__json_from('list_filter(' ~ entries ~ ', lambda entry: entry[1] is not null and entry[2] is not null)') }}
{%- endmacro %}
{% macro default__json_of_parameters(text) %}
    {{ exceptions.raise_compiler_error("json_of_parameters: add " ~ target.type) }}
{% endmacro %}

{# DuckDB only: the entries of a JSON object as a list of (key, value as JSON); json_keys of what is
   not an object is an empty list. #}
{% macro duckdb__json_entries(text) %}
coalesce(try(list_zip(json_keys({{ text }}), json_extract({{ text }}, '$.*'))), [])
{%- endmacro %}

{# DuckDB only: a JSON object from such a list. The outermost lambda computes the list once (a subquery
   would become a join of all rows by their JSON); only where keys repeat is the costly search made. #}
{% macro duckdb__json_from(entries) %}
list_transform([{{ entries }}], lambda entries: case when len(entries) > 0 then '{' || array_to_string(
    list_transform(
        case
            when list_unique(list_transform(entries, lambda entry: entry[1])) = len(entries) then entries
            else list_filter(entries, lambda entry, place:
                place = list_position(list_transform(entries, lambda other: other[1]), entry[1]))
        end,
        lambda entry: cast(to_json(entry[1]) as varchar) || ':' || cast(entry[2] as varchar)
    ), ','
) || '}' end)[1]
{%- endmacro %}
