{# Whom an identity belongs to as far as was known before an hour: SQL expression of a user key.
   identities: alias of stg_identities; hour: SQL expression of an hour index. #}
{% macro resolved_key(identities, hour) %}
case
    when {{ identities }}.known_hour < {{ hour }} then {{ identities }}.resolved_key
    else {{ identities }}.identity_key
end
{%- endmacro %}
