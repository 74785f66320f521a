{# Joins an identity to the user it belongs to as of an hour, as far as was known before: condition of a
   join with stg_identity_map under the alias identity_map. Each identity finds one row.
   identity_key, hour: SQL expressions of the identity and of an hour index. #}
{% macro owner_as_of(identity_key, hour) %}
identity_map.identity_key = {{ identity_key }}
        and identity_map.valid_from_hour <= {{ hour }}
        and identity_map.valid_to_hour > {{ hour }}
{%- endmacro %}

{# valid_to_hour of what holds to this day. #}
{% macro always() %}2147483647{% endmacro %}
