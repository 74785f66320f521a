{# An integer whose only bit is number n (0 to 30). #}
{% macro bit_flag(n) %}{{ return(adapter.dispatch('bit_flag', 'foretell')(n)) }}{% endmacro %}
{% macro duckdb__bit_flag(n) %}(1 << ({{ n }})){% endmacro %}
{% macro spark__bit_flag(n) %}shiftleft(1, {{ n }}){% endmacro %}
{% macro default__bit_flag(n) %}{{ exceptions.raise_compiler_error("bit_flag: add " ~ target.type) }}{% endmacro %}
