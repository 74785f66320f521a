{# How often a measure happened to a user within a window, and its amount if it is a sum. Grain: one
   row per (measure_id, from_hour, to_hour, owner_as_of_hour, user_key); only where it happened.
   Users are resolved as known before owner_as_of_hour (cohort_windows). The hours between two edges
   of any windows are added up first, so one pass over the rollup serves every window of every
   prediction. An hourly run counts active users only (of_processed_users). #}
with

windows as (
    select measure_id, from_hour, to_hour, owner_as_of_hour, sample_per_million
    from {{ ref('cohort_windows') }}
),

edges as (
    select from_hour as edge from windows
    union
    select to_hour as edge from windows
),

hours as (select distinct event_hour from {{ ref('hourly_user_events') }}),

segments as (
    select hours.event_hour, max(edges.edge) as segment
    from hours
    inner join edges on hours.event_hour >= edges.edge
    group by hours.event_hour
),

by_segment as (
    select
        counted.measure_id,
        segments.segment,
        counted.identity_key,
        sum(counted.n_events) as n_events,
        sum(counted.amount) as amount
    from {{ measure_hours() }} as counted
    inner join segments on counted.event_hour = segments.event_hour
    {{ of_processed_users('counted.identity_key') }}
    group by counted.measure_id, segments.segment, counted.identity_key
),

final as (
    select
        windows.measure_id,
        windows.from_hour,
        windows.to_hour,
        windows.owner_as_of_hour,
        identity_map.user_key,
        cast(sum(by_segment.n_events) as bigint) as n_events,
        cast(sum(by_segment.amount) as decimal(38, 6)) as amount
    from by_segment
    inner join windows
        on by_segment.measure_id = windows.measure_id
        and by_segment.segment >= windows.from_hour
        and by_segment.segment < windows.to_hour
    inner join {{ ref('stg_identity_map') }} as identity_map
        on {{ owner_as_of('by_segment.identity_key', 'windows.owner_as_of_hour') }}
        and identity_map.user_key % 1000000 < windows.sample_per_million
    group by all
)

select * from final
