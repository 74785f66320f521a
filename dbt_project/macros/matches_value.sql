{# A property's text equals a definition's value, as text or as number (12.50 = 12.5). #}
{% macro matches_value(text, value) %}
({{ text }} = {{ value }} or {{ to_number(text) }} = {{ to_number(value) }})
{%- endmacro %}
