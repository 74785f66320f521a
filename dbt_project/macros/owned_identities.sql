{# Whose history counts for whom, as a FROM item with (as_of_hour, user_key, identity_key) for the rows
   of features_rows: an identity is its owner's if the owner was known before as_of, else its own. Two
   equal joins, since one join on resolved_key() would compare all pairs. #}
{% macro owned_identities() %}
(
    select wanted.as_of_hour, wanted.user_key, identities.identity_key
    from {{ ref('features_rows') }} as wanted
    inner join {{ ref('stg_identities') }} as identities
        on wanted.user_key = identities.resolved_key
    where identities.known_hour < wanted.as_of_hour
    union all
    select wanted.as_of_hour, wanted.user_key, identities.identity_key
    from {{ ref('features_rows') }} as wanted
    inner join {{ ref('stg_identities') }} as identities
        on wanted.user_key = identities.identity_key
    where identities.known_hour >= wanted.as_of_hour
)
{%- endmacro %}
