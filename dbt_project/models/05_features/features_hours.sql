{# Hourly counts before as_of of each requested user: of the user's own identity, of other
   identities known by then to be the user's, and of measures (prediction_measures) for both. Here
   the hourly rollup is cut off at as_of (docs/decisions/0004). Grain: one row per (as_of_hour,
   user_key, identity_key, counter_id, event_hour). #}
{{ config(materialized='ephemeral') }}
with

requested as (
    select as_of_hour, user_key
    from {{ ref('features_rows') }}
    where {{ in_block('user_key') }}
),

-- A requested user is nobody else's identity as of then, so the own hours need no owner check.
own as (
    select
        requested.as_of_hour,
        requested.user_key,
        hourly.counter_id,
        hourly.event_hour,
        hourly.n_events,
        hourly.value_sum
    from {{ ref('hourly_user_events') }} as hourly
    inner join requested
        on hourly.identity_key = requested.user_key and hourly.event_hour < requested.as_of_hour
    where {{ in_block('hourly.identity_key') }}
),

others as (
    select
        requested.as_of_hour,
        requested.user_key,
        owned.counter_id,
        owned.event_hour,
        owned.n_events,
        owned.value_sum
    from {{ ref('hourly_owned_events') }} as owned
    inner join requested
        on owned.user_key = requested.user_key
        and owned.event_hour < requested.as_of_hour
        and owned.valid_from_hour <= requested.as_of_hour
        and owned.valid_to_hour > requested.as_of_hour
    where {{ in_block('owned.user_key') }}
),

measured as (
    select
        requested.as_of_hour,
        requested.user_key,
        measured.counter_id,
        measured.event_hour,
        measured.n_events,
        measured.value_sum
    from {{ ref('features_measure_hours') }} as measured
    inner join requested
        on measured.user_key = requested.user_key
        and measured.event_hour < requested.as_of_hour
        and measured.valid_from_hour <= requested.as_of_hour
        and measured.valid_to_hour > requested.as_of_hour
    where {{ in_block('measured.user_key') }}
),

final as (
    select * from own
    union all
    select * from others
    union all
    select * from measured
)

select * from final
