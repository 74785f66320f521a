{# The key of an identity is the hash of its text, on both sides: what the rollup counts under a key is
   what the identity did. (Two identities with one key would break the unique test.) #}
{{ config(meta={'dagster': {'ref': {'name': 'stg_identities'}}}) }}

select identity_key, user_id
from {{ ref('stg_identities') }}
where identity_key <> {{ hash_key('user_id') }}
