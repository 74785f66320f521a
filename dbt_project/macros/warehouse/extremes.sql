{# The value in the row with the largest (smallest) key, also where that value is NULL: an unset
   property is a value. DuckDB's own max_by would take the row before. #}
{% macro value_at_max(value, key) %}{{ return(adapter.dispatch('value_at_max', 'foretell')(value, key)) }}{% endmacro %}
{% macro duckdb__value_at_max(value, key) %}arg_max_null({{ value }}, {{ key }}){% endmacro %}
{% macro spark__value_at_max(value, key) %}max_by({{ value }}, {{ key }}){% endmacro %}
{% macro default__value_at_max(value, key) %}{{ exceptions.raise_compiler_error("value_at_max: add " ~ target.type) }}{% endmacro %}

{% macro value_at_min(value, key) %}{{ return(adapter.dispatch('value_at_min', 'foretell')(value, key)) }}{% endmacro %}
{% macro duckdb__value_at_min(value, key) %}arg_min_null({{ value }}, {{ key }}){% endmacro %}
{% macro spark__value_at_min(value, key) %}min_by({{ value }}, {{ key }}){% endmacro %}
{% macro default__value_at_min(value, key) %}{{ exceptions.raise_compiler_error("value_at_min: add " ~ target.type) }}{% endmacro %}
