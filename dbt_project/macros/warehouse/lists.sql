{# A list of some values. #}
{% macro list_of(values) %}{{ return(adapter.dispatch('list_of', 'foretell')(values)) }}{% endmacro %}
{% macro duckdb__list_of(values) %}[{{ values | join(', ') }}]{% endmacro %}
{% macro spark__list_of(values) %}array({{ values | join(', ') }}){% endmacro %}
{% macro default__list_of(values) %}{{ exceptions.raise_compiler_error("list_of: add " ~ target.type) }}{% endmacro %}

{# One row per position in two lists of equal length: the listed columns, and the value of each list at that
   position. Far cheaper than a join with the same result: nothing is looked up, and the copied columns are
   narrow. #}
{% macro unnest_pair(relation, columns, first, second) %}
    {{ return(adapter.dispatch('unnest_pair', 'foretell')(relation, columns, first, second)) }}
{% endmacro %}
{% macro duckdb__unnest_pair(relation, columns, first, second) %}
    select
        {% for column in columns %}{{ column }}, {% endfor %}
        {%- for name, items in [first, second] %}
        unnest({{ items }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
{% endmacro %}
{% macro spark__unnest_pair(relation, columns, first, second) %}
    select {{ columns | join(', ') }}, {{ first[0] }}, {{ second[0] }}
    from {{ relation }}
    lateral view inline(arrays_zip({{ first[1] }}, {{ second[1] }})) as {{ first[0] }}, {{ second[0] }}
{% endmacro %}
{% macro default__unnest_pair(relation, columns, first, second) %}
    {{ exceptions.raise_compiler_error("unnest_pair: add " ~ target.type) }}
{% endmacro %}

{# The values of a column as a list: an aggregate. #}
{% macro collected(column) %}{{ return(adapter.dispatch('collected', 'foretell')(column)) }}{% endmacro %}
{% macro duckdb__collected(column) %}{{ return('list(' ~ column ~ ')') }}{% endmacro %}
{% macro spark__collected(column) %}{{ return('collect_list(' ~ column ~ ')') }}{% endmacro %}
{% macro default__collected(column) %}{{ exceptions.raise_compiler_error("collected: add " ~ target.type) }}{% endmacro %}

{# True if a value is in a list. #}
{% macro is_in_list(value, items) %}{{ return(adapter.dispatch('is_in_list', 'foretell')(value, items)) }}{% endmacro %}
{% macro duckdb__is_in_list(value, items) %}{{ return('list_contains(' ~ items ~ ', ' ~ value ~ ')') }}{% endmacro %}
{% macro spark__is_in_list(value, items) %}{{ return('array_contains(' ~ items ~ ', ' ~ value ~ ')') }}{% endmacro %}
{% macro default__is_in_list(value, items) %}{{ exceptions.raise_compiler_error("is_in_list: add " ~ target.type) }}{% endmacro %}
