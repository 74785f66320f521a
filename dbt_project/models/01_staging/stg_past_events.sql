{# Accepted events before as_of: the only events that anything after this folder reads, so that no
   row at or after as_of can reach a feature, a label or the taxonomy. Grain: one row per event. #}

with

events as (
    select
        event_id, user_id, device_id, identity, event_name, event_time, event_hour,
        event_properties, user_properties
    from {{ ref('stg_events') }}
),

as_of as (select as_of_hour from {{ ref('stg_as_of') }}),

final as (
    select
        events.event_id,
        events.user_id,
        events.device_id,
        events.identity,
        events.event_name,
        events.event_time,
        events.event_hour,
        events.event_properties,
        events.user_properties
    from events
    cross join as_of
    where events.event_hour < as_of.as_of_hour
)

select * from final
