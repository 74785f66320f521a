{# The value in the row with the largest (smallest) key, also if that value is NULL: an unset property is a
   value. DuckDB's own max_by would skip that row. #}
{% macro value_at_max(value, key) %}{{ return(adapter.dispatch('value_at_max', 'foretell')(value, key)) }}{% endmacro %}
{% macro duckdb__value_at_max(value, key) %}arg_max_null({{ value }}, {{ key }}){% endmacro %}
{% macro spark__value_at_max(value, key) %}max_by({{ value }}, {{ key }}){% endmacro %}
{% macro default__value_at_max(value, key) %}{{ exceptions.raise_compiler_error("value_at_max: add " ~ target.type) }}{% endmacro %}

{% macro value_at_min(value, key) %}{{ return(adapter.dispatch('value_at_min', 'foretell')(value, key)) }}{% endmacro %}
{% macro duckdb__value_at_min(value, key) %}arg_min_null({{ value }}, {{ key }}){% endmacro %}
{% macro spark__value_at_min(value, key) %}min_by({{ value }}, {{ key }}){% endmacro %}
{% macro default__value_at_min(value, key) %}{{ exceptions.raise_compiler_error("value_at_min: add " ~ target.type) }}{% endmacro %}

{# The n smallest values of a group, ascending, as a list; all if there are fewer. #}
{% macro smallest(value, n) %}{{ return(adapter.dispatch('smallest', 'foretell')(value, n)) }}{% endmacro %}
{% macro duckdb__smallest(value, n) %}min({{ value }}, {{ n }}){% endmacro %}
{% macro spark__smallest(value, n) %}slice(array_sort(collect_list({{ value }})), 1, {{ n }}){% endmacro %}
{% macro default__smallest(value, n) %}{{ exceptions.raise_compiler_error("smallest: add " ~ target.type) }}{% endmacro %}

{# Item number n of a list, from 1; NULL where the list is shorter. #}
{% macro list_item(items, n) %}{{ return(adapter.dispatch('list_item', 'foretell')(items, n)) }}{% endmacro %}
{% macro duckdb__list_item(items, n) %}{{ items }}[{{ n }}]{% endmacro %}
{% macro spark__list_item(items, n) %}try_element_at({{ items }}, {{ n }}){% endmacro %}
{% macro default__list_item(items, n) %}{{ exceptions.raise_compiler_error("list_item: add " ~ target.type) }}{% endmacro %}
