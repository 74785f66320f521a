{# On how many days and weeks of the last feature_weeks weeks a user did anything.
   Grain: one row per (as_of_hour, user_key). Days are counted back from as_of, 24 h each. #}
with

wanted as (select as_of_hour, user_key from {{ ref('features_rows') }}),

grid as (select distinct as_of_hour from wanted),

hours as (
    select hourly.identity_key, hourly.event_hour
    from {{ ref('hourly_user_events') }} as hourly
    inner join {{ ref('hourly_tokens') }} as tokens
        on hourly.token_id = tokens.token_id and tokens.kind = 'any'
),

identities as (select identity_key, resolved_key, known_hour from {{ ref('stg_identities') }}),

days as (
    select distinct
        grid.as_of_hour,
        {{ resolved_key('identities', 'grid.as_of_hour') }} as user_key,
        {{ floor_divide('grid.as_of_hour - 1 - hours.event_hour', 24) }} as days_back
    from hours
    inner join identities on hours.identity_key = identities.identity_key
    inner join grid
        on hours.event_hour < grid.as_of_hour
        and hours.event_hour >= grid.as_of_hour - 168 * {{ var('feature_weeks') }}
),

final as (
    select
        days.as_of_hour,
        days.user_key,
        count(*) as active_days,
        count(distinct {{ floor_divide('days.days_back', 7) }}) as active_weeks
    from days
    inner join wanted on days.as_of_hour = wanted.as_of_hour and days.user_key = wanted.user_key
    group by days.as_of_hour, days.user_key
)

select * from final
