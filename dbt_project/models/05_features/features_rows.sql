{# Who needs features, as of when. Grain: one row per (as_of_hour, user_key): everybody in any
   cohort at that hour, once for all predictions; with scope active only users of the last hour. #}
with

members as (select as_of_hour, user_key from {{ ref('cohort_members') }}),

{% if var('scope') == 'active' -%}
as_of as (select as_of_hour from {{ ref('stg_as_of') }}),

active_users as (
    select distinct {{ resolved_key('identities', 'as_of.as_of_hour') }} as user_key
    from {{ ref('hourly_user_events') }} as hourly
    inner join as_of on hourly.event_hour = as_of.as_of_hour - 1
    inner join {{ ref('stg_identities') }} as identities
        on hourly.identity_key = identities.identity_key
),

{% endif -%}
final as (
    select distinct members.as_of_hour, members.user_key
    from members
    {% if var('scope') == 'active' -%}
    inner join active_users on members.user_key = active_users.user_key
    {% endif -%}
)

select * from final
