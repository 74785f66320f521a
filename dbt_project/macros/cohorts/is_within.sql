{# True where a total is within the bounds of a condition. conditions: alias of prediction_conditions. #}
{% macro is_within(total, conditions) %}
({{ total }} >= coalesce({{ conditions }}.min_count, {{ total }})
                and {{ total }} <= coalesce({{ conditions }}.max_count, {{ total }}))
{%- endmacro %}
