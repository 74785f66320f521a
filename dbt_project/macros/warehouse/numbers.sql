{# Text to an exact decimal; NULL where it is not a finite number. Exact, because a sum of doubles
   depends on the order of rows and the same data must give the same features. #}
{% macro to_number(text) %}try_cast({{ text }} as decimal(24, 6)){% endmacro %}

{# Whole-number division rounding down, as integer, for a dividend of at least 0. #}
{% macro floor_divide(dividend, divisor) %}
cast(floor(({{ dividend }}) / {{ divisor }}) as integer)
{%- endmacro %}

{# The rest of a whole-number division, as integer, for a dividend of at least 0. #}
{% macro modulo(dividend, divisor) %}(({{ dividend }}) % {{ divisor }}){% endmacro %}

{# The whole numbers from 0 to n - 1 in a column of this name: a FROM item. #}
{% macro numbers_below(n, name) %}{{ return(adapter.dispatch('numbers_below', 'foretell')(n, name)) }}{% endmacro %}
{% macro duckdb__numbers_below(n, name) %}(select cast(range as integer) as {{ name }} from range({{ n }})){% endmacro %}
{% macro spark__numbers_below(n, name) %}(select cast(id as integer) as {{ name }} from range({{ n }})){% endmacro %}
{% macro default__numbers_below(n, name) %}{{ exceptions.raise_compiler_error("numbers_below: add " ~ target.type) }}{% endmacro %}
