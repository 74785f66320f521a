{# The (user, as_of) pairs that need features. Grain: one row per (as_of_hour, user_key): all
   members of any cohort at that hour, once for all predictions; with scope active only active
   users. #}
with

members as (
    select distinct as_of_hour, user_key from {{ ref('cohort_members') }}
),

identities as (
    select identity_key, user_id from {{ ref('stg_identities') }}
),

{% if var('scope') == 'active' -%}
active_users as (select distinct user_key from {{ ref('cohort_active_identities') }}),

{% endif -%}
final as (
    select
        members.as_of_hour,
        members.user_key,
        {{ hour_start('members.as_of_hour') }} as as_of,
        identities.user_id
    from members
    inner join identities on members.user_key = identities.identity_key
    {% if var('scope') == 'active' -%}
    inner join active_users on members.user_key = active_users.user_key
    {% endif -%}
    order by members.user_key, members.as_of_hour
)

select * from final
