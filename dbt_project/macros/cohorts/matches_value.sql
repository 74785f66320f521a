{# A property's text is one of a definition's values, as text or as number (12.50 = 12.5), or in its
   range. filters: alias of prediction_condition_filters. #}
{% macro matches_value(text, filters) %}
(
            {{ text }} = {{ filters }}.value
            or {{ to_number(text) }} = {{ to_number(filters ~ '.value') }}
            or (
                coalesce({{ filters }}.min_value, {{ filters }}.max_value) is not null
                and {{ to_number(text) }} >= coalesce({{ filters }}.min_value, {{ to_number(text) }})
                and {{ to_number(text) }} <= coalesce({{ filters }}.max_value, {{ to_number(text) }})
            )
        )
{%- endmacro %}
