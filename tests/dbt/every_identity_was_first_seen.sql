{# Everybody with an event before as_of is somebody whom "at most" conditions can reach. #}
{{ config(meta={'dagster': {'ref': {'name': 'cohort_first_hours'}}}) }}

select identities.identity_key, identities.user_id
from {{ ref('stg_identities') }} as identities
left join {{ ref('cohort_first_hours') }} as first_hours
    on identities.identity_key = first_hours.identity_key
where first_hours.identity_key is null
