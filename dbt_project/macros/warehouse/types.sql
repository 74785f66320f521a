{# The type of a column of bytes. #}
{% macro type_bytes() %}{{ return(adapter.dispatch('type_bytes', 'foretell')()) }}{% endmacro %}
{% macro duckdb__type_bytes() %}blob{% endmacro %}
{% macro spark__type_bytes() %}binary{% endmacro %}
{% macro default__type_bytes() %}{{ exceptions.raise_compiler_error("type_bytes: add " ~ target.type) }}{% endmacro %}
