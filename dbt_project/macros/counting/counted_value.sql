{# How a property's values are counted (kind in hourly_counters): versions by their minor number, so that a new
   release does not start without history; all others by their exact text. #}
{% macro kind_of_value(value_type) %}
case when {{ value_type }} = 'version' then 'version' else 'value' end
{%- endmacro %}

{# The value as counted: 1.2.* for 1.2.3 if the kind is version, else unchanged. #}
{% macro counted_value(kind, value) -%}
case when {{ kind }} = 'version' and {{ is_version(value) }} then {{ minor_version(value) }} || '.*' else {{ value }} end
{%- endmacro %}
