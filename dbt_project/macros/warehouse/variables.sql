{# Variables of the session: values computed once, before a statement that reads them as constants. #}

{# type: the type on Spark, which requires it. value: SQL. #}
{% macro set_variable(name, type, value) %}
    {{ return(adapter.dispatch('set_variable', 'foretell')(name, type, value)) }}
{% endmacro %}
{% macro duckdb__set_variable(name, type, value) %}
    {%- do run_query('set variable ' ~ name ~ ' = ' ~ value) -%}
{% endmacro %}
{% macro spark__set_variable(name, type, value) %}
    {%- do run_query('declare or replace variable ' ~ name ~ ' ' ~ type) -%}
    {%- do run_query('set var ' ~ name ~ ' = ' ~ value) -%}
{% endmacro %}
{% macro default__set_variable(name, type, value) %}{{ exceptions.raise_compiler_error("set_variable: add " ~ target.type) }}{% endmacro %}

{% macro variable(name) %}{{ return(adapter.dispatch('variable', 'foretell')(name)) }}{% endmacro %}
{% macro duckdb__variable(name) %}{{ return("getvariable('" ~ name ~ "')") }}{% endmacro %}
{% macro spark__variable(name) %}{{ return('system.session.' ~ name) }}{% endmacro %}
{% macro default__variable(name) %}{{ exceptions.raise_compiler_error("variable: add " ~ target.type) }}{% endmacro %}
