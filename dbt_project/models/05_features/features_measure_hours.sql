{# Hourly counts of the measures that have their own counters, before as_of, under the key of each
   user whom they belong to as of an hour in [valid_from_hour, valid_to_hour), sorted by it. Grain:
   one row per (user_key, identity_key, valid_from_hour, event_hour, counter_id). A sum has a
   counter of its own besides that of its events; rows of both hold the sum. With scope active only
   active users. #}
with

counted as (
    select
        counters.counter_id,
        hours.identity_key,
        hours.event_hour,
        sum(hours.n_events) as n_events,
        sum(hours.amount) as value_sum
    from {{ measure_hours() }} as hours
    inner join {{ ref('prediction_measures') }} as counters
        on hours.measure_id = counters.measure_id
    inner join {{ ref('stg_as_of') }} as now on hours.event_hour < now.as_of_hour
    {{ of_processed_users('hours.identity_key') }}
    group by counters.counter_id, hours.identity_key, hours.event_hour
),

final as (
    select
        identity_map.user_key,
        identity_map.valid_from_hour,
        identity_map.valid_to_hour,
        counted.identity_key,
        counted.event_hour,
        counted.counter_id,
        cast(counted.n_events as integer) as n_events,
        cast(counted.value_sum as decimal(38, 6)) as value_sum
    from counted
    inner join {{ ref('stg_identity_map') }} as identity_map
        on counted.identity_key = identity_map.identity_key
    order by identity_map.user_key, counted.identity_key, counted.event_hour, counted.counter_id
)

select * from final
