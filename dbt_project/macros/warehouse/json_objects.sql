{# Macros that split and merge JSON objects, for the adapters. Each returns JSON text; any other value (broken,
   a list, NULL) counts as an empty object. If a key repeats, the first counts. #}

{# A column as JSON text, whatever its type: text stays unchanged, structs and lists are converted. #}
{% macro json_text(column) %}{{ return(adapter.dispatch('json_text', 'foretell')(column)) }}{% endmacro %}
{% macro duckdb__json_text(column) -%}
case when typeof({{ column }}) = 'VARCHAR' then cast({{ column }} as varchar) else to_json({{ column }}) ->> '$' end
{%- endmacro %}
{% macro spark__json_text(column) -%}
{# The column alone in an object, because to_json accepts no text: get_json_object returns it unchanged for all
   types. -#}
case
    when typeof({{ column }}) = 'string' then cast({{ column }} as string)
    else get_json_object(to_json(named_struct('it', {{ column }})), '$.it')
end
{%- endmacro %}
{% macro default__json_text(column) %}{{ exceptions.raise_compiler_error("json_text: add " ~ target.type) }}{% endmacro %}

{# The value at a path of keys, as text; NULL also if the text is not JSON. keys: names known at compile
   time. #}
{% macro json_at(text, keys) %}{{ return(adapter.dispatch('json_at', 'foretell')(text, keys)) }}{% endmacro %}
{% macro duckdb__json_at(text, keys) %}try(json_extract_string({{ text }}, '/{{ keys | join("/") }}')){% endmacro %}
{% macro spark__json_at(text, keys) %}
{%- set found = namespace(sql=text) -%}
{%- for key in keys -%}{%- set found.sql = spark__json_value(found.sql, "'" ~ key ~ "'") -%}{%- endfor -%}
{{ found.sql }}
{%- endmacro %}
{% macro default__json_at(text, keys) %}{{ exceptions.raise_compiler_error("json_at: add " ~ target.type) }}{% endmacro %}

{# One object with the entries of several; NULL if there are none. texts: SQL expressions. #}
{% macro json_merged(texts) %}{{ return(adapter.dispatch('json_merged', 'foretell')(texts)) }}{% endmacro %}
{% macro duckdb__json_merged(texts) %}
{%- set entries = [] -%}
{%- for text in texts -%}{%- do entries.append(duckdb__json_entries(text)) -%}{%- endfor -%}
{{ duckdb__json_from(entries | join(' || ')) }}
{%- endmacro %}
{% macro spark__json_merged(texts) %}
{%- set entries = [] -%}
{%- for text in texts -%}{%- do entries.append(spark__json_entries(text)) -%}{%- endfor -%}
{{ spark__json_from('concat(' ~ entries | join(', ') ~ ')') }}
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
{% macro spark__json_picked(text, keys, others, prefixes) %}
{%- set picked -%}
    filter({{ spark__json_entries(text) }}, entry ->
        not is_variant_null(entry.value)
        and {{ 'not ' if others }}(entry.key in ('{{ keys | join("', '") }}')
            {%- for prefix in prefixes %} or startswith(entry.key, '{{ prefix }}'){% endfor %}))
{%- endset -%}
{{ spark__json_from(picked) }}
{%- endmacro %}
{% macro default__json_picked(text, keys, others, prefixes) %}
    {{ exceptions.raise_compiler_error("json_picked: add " ~ target.type) }}
{% endmacro %}

{# The fields of all objects (or of the first in a list of objects) that an object holds under keys that start
   with the prefix, merged into one object, also if such a key holds them as text. With `named` a field is
   called by the rest of that key, a point, and its own name. Fields without a value are left out. NULL if there
   are none. #}
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
{% macro spark__json_lifted(text, prefix, named) %}
{%- set outer = "cast(outer_entry.value as string)" -%}
{%- set inner = spark__json_entries("coalesce(get_json_object(" ~ outer ~ ", '$[0]'), " ~ outer ~ ")") -%}
{%- set lifted -%}
    flatten(transform(
        filter({{ spark__json_entries(text) }}, outer_entry -> startswith(outer_entry.key, '{{ prefix }}')),
        outer_entry -> transform(
            {{ spark__with_values(inner) }},
            entry -> named_struct(
                'key',
                {% if named %}substr(outer_entry.key, {{ prefix | length + 1 }}) || '.' || {% endif %}entry.key,
                'value', entry.value
            )
        )
    ))
{%- endset -%}
{{ spark__json_from(lifted) }}
{%- endmacro %}
{% macro default__json_lifted(text, prefix, named) %}
    {{ exceptions.raise_compiler_error("json_lifted: add " ~ target.type) }}
{% endmacro %}

{# A normal form of JSON objects, equal for objects with equal content: keys in order, without keys whose value
   is null, whole numbers without a fraction (1.0 is 1), no spaces; four levels deep. NULL if the object is
   empty. Costly: for rows that may be duplicates. #}
{% macro json_canonical(text) %}{{ return(adapter.dispatch('json_canonical', 'foretell')(text)) }}{% endmacro %}
{% macro duckdb__json_canonical(text) -%}
nullif({{ duckdb__canonical_parts(text, 4) }}, '')
{%- endmacro %}

{# DuckDB only: the entries of an object in order of their keys, or of a list in order, as text. Nested values
   use the same SQL one level deeper. It is written once per level, as it would double otherwise. #}
{% macro duckdb__canonical_parts(json, depth) -%}
{%- set item = 'item' ~ depth -%}
array_to_string(list_transform(
    list_sort(case
        when json_type({{ json }}) = 'ARRAY' then list_zip(
            list_transform(range(cast(json_array_length({{ json }}) as bigint)), lambda place: lpad(cast(place as varchar), 9, '0')),
            json_extract({{ json }}, '$[*]')
        )
        else list_filter({{ duckdb__json_entries(json) }}, lambda entry: json_type(entry[2]) <> 'NULL')
    end),
    lambda {{ item }}: cast(to_json({{ item }}[1]) as varchar) || ':' || case
        {%- if depth > 1 %}
        when json_type({{ item }}[2]) in ('OBJECT', 'ARRAY')
            then left(json_type({{ item }}[2]), 1) || '(' || {{ duckdb__canonical_parts(item ~ '[2]', depth - 1) }} || ')'
        {%- endif %}
        when
            json_type({{ item }}[2]) = 'DOUBLE' and abs(cast({{ item }}[2] as double)) < 1e15
            and cast({{ item }}[2] as double) = floor(cast({{ item }}[2] as double))
            then cast(cast(cast({{ item }}[2] as double) as bigint) as varchar)
        else cast({{ item }}[2] as varchar)
    end
), ',')
{%- endmacro %}
{% macro spark__json_canonical(text) -%}
nullif({{ spark__canonical_parts(spark__with_values(spark__json_entries(text)), 4) }}, '')
{%- endmacro %}

{# Spark only: entries without those whose value is null. #}
{% macro spark__with_values(entries) %}filter({{ entries }}, entry -> not is_variant_null(entry.value)){% endmacro %}

{# Spark only: the same for entries with variants as values; a variant is written with nested keys in order, and
   its numbers without trailing zeros. #}
{% macro spark__canonical_parts(entries, depth) -%}
{%- set item = 'item' ~ depth -%}
array_join(transform(
    array_sort(
        {{ entries }},
        (one, other) -> case when one.key < other.key then -1 when one.key > other.key then 1 else 0 end
    ),
    {{ item }} -> concat(to_json(array({{ item }}.key)), ':',
        {%- if depth > 1 %} case
        when schema_of_variant({{ item }}.value) like 'OBJECT<%' then concat('O(', {{ spark__canonical_parts(
            spark__with_values('map_entries(cast(' ~ item ~ '.value as map<string, variant>))'), depth - 1
        ) }}, ')')
        when schema_of_variant({{ item }}.value) like 'ARRAY<%' then concat('A(', {{ spark__canonical_parts(
            'transform(cast(' ~ item ~ '.value as array<variant>), (each, place) ->'
            ~ " named_struct('key', lpad(cast(place as string), 9, '0'), 'value', each))", depth - 1
        ) }}, ')')
        else
        {%- endif %} to_json(named_struct('value', {{ item }}.value)){{ ' end' if depth > 1 }}
    )
), ',')
{%- endmacro %}
{% macro default__json_canonical(text) %}
    {{ exceptions.raise_compiler_error("json_canonical: add " ~ target.type) }}
{% endmacro %}

{# Google's parameters, [{key, value: {string_value | int_value | float_value | double_value}}], as one object,
   except for the keys in `without`. NULL if there are none. #}
{% macro json_of_parameters(text, without=['']) %}
    {{ return(adapter.dispatch('json_of_parameters', 'foretell')(text, without)) }}
{% endmacro %}
{% macro duckdb__json_of_parameters(text, without) %}
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
{{ duckdb__json_from(
    'list_filter(' ~ entries ~ ", lambda entry: entry[1] not in ('" ~ without | join("', '") ~ "') and entry[2] is not null)"
) }}
{%- endmacro %}
{#- BigQuery writes whole numbers as text. -#}
{% macro spark__json_of_parameters(text, without) %}
{%- set entries -%}
    transform(
        coalesce(from_json(
            {{ text }}, 'array<struct<key: string, value: struct<'
            || 'string_value: string, int_value: string, float_value: double, double_value: double>>>'
        ), array()),
        each -> named_struct('key', each.key, 'value', coalesce(
            cast(each.value.string_value as variant),
            cast(try_cast(each.value.int_value as bigint) as variant),
            cast(coalesce(each.value.double_value, each.value.float_value) as variant)
        ))
    )
{%- endset -%}
{{ spark__json_from(
    'filter(' ~ entries ~ ", entry -> entry.key not in ('" ~ without | join("', '") ~ "') and entry.value is not null)"
) }}
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

{# Spark only: the same two macros. A variant distinguishes numbers from text. #}
{% macro spark__json_entries(text) %}
coalesce(map_entries(from_json({{ text }}, 'map<string, variant>', {{ spark__json_options() }})), array())
{%- endmacro %}
{% macro spark__json_from(entries) %}
transform(array({{ entries }}), entries -> case when size(entries) > 0 then to_json(map_from_entries(
    filter(entries, (entry, place) ->
        array_position(transform(entries, other -> other.key), entry.key) = place + 1)
)) end)[0]
{%- endmacro %}
