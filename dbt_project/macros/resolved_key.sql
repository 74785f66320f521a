{# Whom an identity belongs to as far as was known before an hour: SQL expression of a user key.
   identities: alias of stg_identities; hour: SQL expression of an hour index. #}
{% macro resolved_key(identities, hour) %}
case
    when {{ identities }}.known_hour < {{ hour }} then {{ identities }}.resolved_key
    else {{ identities }}.identity_key
end
{%- endmacro %}

{# Where an identity stands in samples by user, 0 to 999,999: below sample_per_million if any user it
   could stand for is in the sample. Of the columns of stg_identities. #}
{% macro sample_point() %}least(identity_key % 1000000, resolved_key % 1000000){% endmacro %}
