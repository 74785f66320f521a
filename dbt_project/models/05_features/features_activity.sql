{# Number of days and weeks with any event per user: in the last feature_weeks weeks, and ever.
   Grain: one row per (as_of_hour, user_key). Days and weeks are counted back from as_of. #}
{{ config(materialized='ephemeral') }}
with

final as (
    select
        as_of_hour,
        user_key,
        sum(case when week < {{ var('feature_weeks') }} then n_days else 0 end) as active_days,
        sum(case when week < {{ var('feature_weeks') }} then 1 else 0 end) as active_weeks,
        sum(n_days) as active_days_ever,
        count(*) as active_weeks_ever
    from {{ ref('features_user_weeks') }}
    group by as_of_hour, user_key
)

select * from final
