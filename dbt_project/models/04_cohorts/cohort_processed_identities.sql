{# Identities whose cohorts and scores an hourly run computes: the active identities, or all if
   active-only is not allowed (cohort_scope). A daily run computes all and does not read this table.
   Grain: one row per identity_key. #}
with

final as (
    select identity_key, user_key, user_id from {{ ref('cohort_active_identities') }}
    {%- if var('scope') == 'active' %}
    union
    select
        identity_map.identity_key,
        identity_map.user_key,
        identities.user_id
    from {{ ref('cohort_scope') }} as scope
    inner join {{ ref('stg_identity_map') }} as identity_map
        on identity_map.valid_from_hour <= scope.as_of_hour
        and identity_map.valid_to_hour > scope.as_of_hour
    inner join {{ ref('stg_identities') }} as identities
        on identity_map.identity_key = identities.identity_key
    where scope.scope = 'everyone'
    {%- endif %}
)

select * from final
