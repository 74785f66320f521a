{# On how many days and weeks a user did anything: in the last feature_weeks weeks, and ever.
   Grain: one row per (as_of_hour, user_key). Days and weeks are counted back from as_of. #}
with

wanted as (select as_of_hour, user_key from {{ ref('features_rows') }}),

grid as (
    select
        as_of_hour,
        as_of_hour % 24 as day_phase,
        {{ floor_divide('as_of_hour', 24) }} as as_of_day
    from (select distinct as_of_hour from wanted) as hours
),

phases as (select distinct day_phase from grid),

identities as (select identity_key, resolved_key, known_hour from {{ ref('stg_identities') }}),

identity_days as (
    select distinct
        phases.day_phase,
        hourly.identity_key,
        {{ floor_divide('hourly.event_hour - phases.day_phase', 24) }} as day
    from {{ ref('hourly_user_events') }} as hourly
    inner join {{ ref('hourly_tokens') }} as tokens
        on hourly.token_id = tokens.token_id and tokens.kind = 'any'
    cross join phases
),

days as (
    select distinct
        grid.as_of_hour,
        {{ resolved_key('identities', 'grid.as_of_hour') }} as user_key,
        grid.as_of_day - 1 - identity_days.day as days_back
    from identity_days
    inner join identities on identity_days.identity_key = identities.identity_key
    inner join grid
        on identity_days.day_phase = grid.day_phase and identity_days.day < grid.as_of_day
),

placed as (
    select
        days.as_of_hour,
        days.user_key,
        days.days_back,
        {{ floor_divide('days.days_back', 7) }} as weeks_back
    from days
    inner join wanted on days.as_of_hour = wanted.as_of_hour and days.user_key = wanted.user_key
),

final as (
    select
        as_of_hour,
        user_key,
        sum(case when weeks_back < {{ var('feature_weeks') }} then 1 else 0 end) as active_days,
        count(distinct case when weeks_back < {{ var('feature_weeks') }} then weeks_back end)
            as active_weeks,
        count(*) as active_days_ever,
        count(distinct weeks_back) as active_weeks_ever
    from placed
    group by as_of_hour, user_key
)

select * from final
