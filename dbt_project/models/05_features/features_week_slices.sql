{# Events per calendar-free week and token: the hourly rollup cut into slices of 168 hours, once for
   all as_of hours that lie whole weeks apart (they share week_phase = as_of_hour modulo 168).
   Grain: one row per (week_phase, identity_key, token_id, slice); slice s covers the hours
   [week_phase + 168 s, week_phase + 168 (s + 1)). The windows of features_values are whole slices,
   so that no hour is counted again for every snapshot (docs/decisions/0004). #}
with

phases as (
    select distinct as_of_hour % 168 as week_phase from {{ ref('features_rows') }}
),

tokens as (select distinct token_id from {{ ref('taxonomy_features') }} where token_id is not null),

hourly as (
    select identity_key, event_hour, token_id, n_events, value_sum
    from {{ ref('hourly_user_events') }}
),

sliced as (
    select
        phases.week_phase,
        hourly.identity_key,
        hourly.token_id,
        {{ floor_divide('hourly.event_hour - phases.week_phase', 168) }} as slice,
        sum(hourly.n_events) as n_events,
        sum(hourly.value_sum) as value_sum,
        min(hourly.event_hour) as first_hour,
        max(hourly.event_hour) as last_hour
    from hourly
    inner join tokens on hourly.token_id = tokens.token_id
    cross join phases
    group by all
),

final as (
    select
        week_phase,
        identity_key,
        token_id,
        slice,
        cast(n_events as bigint) as n_events,
        value_sum,
        last_hour,
        min(first_hour) over (partition by week_phase, identity_key, token_id) as first_ever_hour,
        cast(sum(n_events) over (
            partition by week_phase, identity_key, token_id order by slice
        ) as bigint) as n_events_ever,
        sum(value_sum) over (
            partition by week_phase, identity_key, token_id order by slice
        ) as value_sum_ever,
        lead(slice) over (
            partition by week_phase, identity_key, token_id order by slice
        ) as next_slice
    from sliced
)

select * from final
