{# Joins an identity to the user it belongs to as of an hour, using only what was known before: the condition of
   a join with stg_identity_map under the alias identity_map. Each identity matches one row. identity_key, hour:
   SQL expressions of the identity and of an hour index. #}
{% macro owner_as_of(identity_key, hour) %}
identity_map.identity_key = {{ identity_key }}
        and identity_map.valid_from_hour <= {{ hour }}
        and identity_map.valid_to_hour > {{ hour }}
{%- endmacro %}

{# valid_to_hour of rows that are still valid. #}
{% macro always() %}2147483647{% endmacro %}
