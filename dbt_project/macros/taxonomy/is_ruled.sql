{# True where a rule of the taxonomy (prediction_taxonomy_rules) matches an event type, an event property or a
   value. A ban of an event type covers its properties; a ban of a property covers its values. event_name,
   property, value: SQL expressions; is_ban: bans, or pins. #}
{% macro is_ruled(event_name, property=none, value=none, is_ban=true) %}
exists (
            select 1
            from {{ ref('prediction_taxonomy_rules') }} as rules
            where
                rules.is_ban = {{ is_ban }}
                and not rules.is_user_property
                and {{ matches_pattern(event_name, 'rules.event_name') }}
                {%- for column, given in [('property', property), ('value', value)] %}
                {%- if given is none %}
                and rules.{{ column }} is null
                {%- else %}
                and {{ matches_pattern(given, 'rules.' ~ column) }}
                {{- '' if is_ban else ' and rules.' ~ column ~ ' is not null' }}
                {%- endif %}
                {%- endfor %}
        )
{%- endmacro %}

{# The same for a user property, or a value of one. #}
{% macro is_user_property_ruled(property, value, is_ban=true) %}
exists (
            select 1
            from {{ ref('prediction_taxonomy_rules') }} as rules
            where
                rules.is_ban = {{ is_ban }}
                and rules.is_user_property
                and {{ matches_pattern(property, 'rules.property') }}
                and {{ matches_pattern(value, 'rules.value') }}
        )
{%- endmacro %}

{% macro matches_pattern(text, pattern) %}
({{ pattern }} is null or {{ text }} like {{ pattern }} escape '!')
{%- endmacro %}
