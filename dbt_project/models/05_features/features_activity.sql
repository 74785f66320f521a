{# On how many days and weeks a user did anything: in the last feature_weeks weeks, and ever.
   Grain: one row per (as_of_hour, user_key). Days and weeks are counted back from as_of. #}
with

hours as (
    select rollup.identity_key, rollup.event_hour
    from {{ ref('hourly_user_events') }} as rollup
    inner join {{ ref('hourly_tokens') }} as tokens
        on rollup.token_id = tokens.token_id and tokens.kind = 'any'
),

days as (
    select distinct
        owned.as_of_hour,
        owned.user_key,
        {{ floor_divide('owned.as_of_hour - 1 - hours.event_hour', 24) }} as days_back
    from hours
    inner join {{ owned_identities() }} as owned
        on hours.identity_key = owned.identity_key and hours.event_hour < owned.as_of_hour
),

placed as (
    select
        as_of_hour,
        user_key,
        {{ floor_divide('days_back', 7) }} as weeks_back,
        count(*) as n_days
    from days
    group by as_of_hour, user_key, {{ floor_divide('days_back', 7) }}
),

final as (
    select
        as_of_hour,
        user_key,
        sum(case when weeks_back < {{ var('feature_weeks') }} then n_days else 0 end)
            as active_days,
        sum(case when weeks_back < {{ var('feature_weeks') }} then 1 else 0 end) as active_weeks,
        sum(n_days) as active_days_ever,
        count(*) as active_weeks_ever
    from placed
    group by as_of_hour, user_key
)

select * from final
