{# Event types that definitions name and that never occur. Grain: one row per (condition_id,
   event_name). Always empty: the query fails at such a name and suggests the nearest existing one.
   Before the first event no name is refused. All times, so that any past hour can be replayed. #}
with

named as (
    select condition_id, event_name
    from {{ ref('prediction_condition_events') }}
    where event_name is not null
),

known as (select event_name from {{ ref('hourly_counters') }} where kind = 'event' and is_counted),

unknown as (
    select named.condition_id, named.event_name
    from named
    left join known on named.event_name = known.event_name
    where known.event_name is null
),

suggestions as (
    select
        unknown.condition_id,
        unknown.event_name,
        {{ nearest_in_sql('known.event_name', 'unknown.event_name') }} as nearest
    from unknown
    cross join known
    group by unknown.condition_id, unknown.event_name
),

final as (
    select
        condition_id,
        {{ refuse_in_sql(unknown_name_message(
            'event', 'event_name', 'nearest', 'condition_id'
        )) }} as event_name
    from suggestions
)

select * from final
