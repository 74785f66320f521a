{# Whom an identity belongs to as far as was known before an hour: SQL expression of a user key.
   identities: alias of stg_identities; hour: SQL expression of an hour index. #}
{% macro resolved_key(identities, hour) %}
case
    when {{ identities }}.known_hour < {{ hour }} then {{ identities }}.resolved_key
    else {{ identities }}.identity_key
end
{%- endmacro %}

{# Whose history counts for whom, as one row per (as_of_hour, user_key, identity_key): an identity is
   its owner's if the owner was known before as_of, else its own. Reads the CTEs wanted (as_of_hour,
   user_key) and identities. Two equal joins: one join on resolved_key() would compare all pairs. #}
{% macro owned_identities() %}
select wanted.as_of_hour, wanted.user_key, identities.identity_key
from wanted
inner join identities on wanted.user_key = identities.resolved_key
where identities.known_hour < wanted.as_of_hour
union all
select wanted.as_of_hour, wanted.user_key, identities.identity_key
from wanted
inner join identities on wanted.user_key = identities.identity_key
where identities.known_hour >= wanted.as_of_hour
{%- endmacro %}
