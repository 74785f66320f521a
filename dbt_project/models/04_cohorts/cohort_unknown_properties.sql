{# Properties that definitions name and that never occur on the events, or users, they filter.
   Grain: one row per (condition_id, property). Always empty: the query fails at such a name and
   suggests the nearest existing one. A property that first occurs after as_of is known, so that any
   past hour can be replayed. Properties of events that have not happened yet cannot be checked. #}
with

filters as (select condition_id, property from {{ ref('prediction_condition_filters') }}),

conditions as (select condition_id, kind from {{ ref('prediction_conditions') }}),

events as (select condition_id, event_name from {{ ref('prediction_condition_events') }}),

counters as (
    select kind, event_name
    from {{ ref('hourly_counters') }}
    where n_events > 0 and is_counted
),

-- Conditions that can be checked: their events have happened.
seen as (
    select distinct events.condition_id
    from events
    inner join counters
        on counters.kind = 'event'
        and (counters.event_name = events.event_name or events.event_name is null)
    union
    select conditions.condition_id
    from conditions
    inner join counters on conditions.kind in ('user', 'change') and counters.kind = 'any'
),

known as (
    select distinct events.condition_id, properties.property
    from events
    inner join {{ ref('volume_values') }} as properties
        on events.event_name = properties.event_name or events.event_name is null
    where properties.property is not null
    union
    select conditions.condition_id, properties.property
    from conditions
    cross join {{ ref('stg_user_properties') }} as properties
    where conditions.kind in ('user', 'change')
),

unknown as (
    select distinct filters.condition_id, filters.property
    from filters
    inner join seen on filters.condition_id = seen.condition_id
    left join known
        on filters.condition_id = known.condition_id and filters.property = known.property
    where known.property is null
),

later as (
    select unknown.condition_id, unknown.property
    from unknown
    inner join events on unknown.condition_id = events.condition_id
    inner join {{ ref('stg_events') }} as all_events
        on events.event_name = all_events.event_name or events.event_name is null
    where {{ json_value('all_events.event_properties', 'unknown.property') }} is not null
    union
    select unknown.condition_id, unknown.property
    from unknown
    inner join conditions on unknown.condition_id = conditions.condition_id
    cross join {{ ref('stg_events') }} as all_events
    where
        conditions.kind in ('user', 'change')
        and {{ json_value('all_events.user_properties', 'unknown.property') }} is not null
),

suggestions as (
    select
        unknown.condition_id,
        unknown.property,
        {{ nearest_in_sql('known.property', 'unknown.property') }} as nearest
    from unknown
    left join later
        on unknown.condition_id = later.condition_id and unknown.property = later.property
    left join known on unknown.condition_id = known.condition_id
    where later.property is null
    group by unknown.condition_id, unknown.property
),

final as (
    select
        condition_id,
        {{ refuse_in_sql(unknown_name_message(
            'property', 'property', 'nearest', 'condition_id'
        )) }} as property
    from suggestions
)

select * from final
