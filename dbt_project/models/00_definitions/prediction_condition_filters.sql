{# Values that a property must have (any one of them), as value or as range. Grain: one row per
   (condition_id, property, value, min_value, max_value); all NULL: the property that is summed.
   Refuses a property that never occurs on the events (or users) it filters; one that comes
   up only after as_of is known, so that any past hour can be replayed. #}
with

declared as (
    {{ definition_rows('filters', {
        'condition_id': dbt.type_string(), 'property': dbt.type_string(),
        'value': dbt.type_string(), 'min_value': 'decimal(24, 6)', 'max_value': 'decimal(24, 6)',
    }) }}
),

conditions as (select condition_id, kind from {{ ref('prediction_conditions') }}),

events as (select condition_id, event_name from {{ ref('prediction_condition_events') }}),

counters as (
    select kind, event_name
    from {{ ref('hourly_counters') }}
    where n_events > 0 and is_counted
),

-- Conditions that can be judged: their events have happened.
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
    select distinct declared.condition_id, declared.property
    from declared
    inner join seen on declared.condition_id = seen.condition_id
    left join known
        on declared.condition_id = known.condition_id and declared.property = known.property
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
        min_by(known.property, levenshtein(
            substr(lower(unknown.property), 1, 200), substr(lower(known.property), 1, 200)
        )) as nearest
    from unknown
    left join later
        on unknown.condition_id = later.condition_id and unknown.property = later.property
    left join known on unknown.condition_id = known.condition_id
    where later.property is null
    group by unknown.condition_id, unknown.property
),

final as (
    select distinct
        declared.condition_id,
        case
            when suggestions.property is not null then {{ refuse_in_sql(unknown_name_message(
                'property', 'suggestions.property', 'suggestions.nearest', 'declared.condition_id'
            )) }}
            else declared.property
        end as property,
        declared.value,
        declared.min_value,
        declared.max_value
    from declared
    left join suggestions
        on declared.condition_id = suggestions.condition_id
        and declared.property = suggestions.property
)

select * from final
