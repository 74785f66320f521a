{# Events per rolling week and token, as of every hour of the grid. Grain: one row per (as_of_hour,
   user_key, token_id, week). Week k is [as_of - 7(k+1) d, as_of - 7k d); everything before the last
   kept week shares week = feature_weeks (only first and last hour are used of it). #}
with

grid as (select distinct as_of_hour from {{ ref('features_rows') }}),

wanted as (select as_of_hour, user_key from {{ ref('features_rows') }}),

tokens as (
    select distinct
        token_id,
        kind in ('hours_since_last', 'hours_since_first') as is_ever
    from {{ ref('taxonomy_features') }}
    where token_id is not null
),

kept_tokens as (select token_id, max(case when is_ever then 1 else 0 end) = 1 as is_ever from tokens group by token_id),

hourly as (select identity_key, event_hour, token_id, n_events, value_sum from {{ ref('hourly_user_events') }}),

identities as (select identity_key, resolved_key, known_hour from {{ ref('stg_identities') }}),

windows as (
    select
        grid.as_of_hour,
        {{ resolved_key('identities', 'grid.as_of_hour') }} as user_key,
        hourly.token_id,
        hourly.event_hour,
        least(
            {{ floor_divide('grid.as_of_hour - 1 - hourly.event_hour', 168) }},
            {{ var('feature_weeks') }}
        ) as week,
        hourly.n_events,
        hourly.value_sum
    from hourly
    inner join kept_tokens on hourly.token_id = kept_tokens.token_id
    inner join identities on hourly.identity_key = identities.identity_key
    inner join grid
        on hourly.event_hour < grid.as_of_hour
        and (kept_tokens.is_ever or hourly.event_hour >= grid.as_of_hour - 168 * {{ var('feature_weeks') }})
),

final as (
    select
        windows.as_of_hour,
        windows.user_key,
        windows.token_id,
        windows.week,
        sum(windows.n_events) as n_events,
        sum(windows.value_sum) as value_sum,
        min(windows.event_hour) as first_hour,
        max(windows.event_hour) as last_hour
    from windows
    inner join wanted on windows.as_of_hour = wanted.as_of_hour and windows.user_key = wanted.user_key
    group by windows.as_of_hour, windows.user_key, windows.token_id, windows.week
)

select * from final
