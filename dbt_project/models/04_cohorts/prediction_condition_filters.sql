{# Values that a property must have (any one of them). Grain: one row per (condition_id, property,
   value). Refuses a property that never occurs on the events (or users) it filters. #}
with

declared as (
    {{ definition_rows('filters', {
        'condition_id': dbt.type_string(), 'property': dbt.type_string(), 'value': dbt.type_string(),
    }) }}
),

conditions as (select condition_id, kind from {{ ref('prediction_conditions') }}),

events as (select condition_id, event_name from {{ ref('prediction_condition_events') }}),

known as (
    select distinct events.condition_id, properties.property
    from events
    inner join {{ ref('stg_property_values') }} as properties
        on events.event_name = properties.event_name or events.event_name is null
    union
    select conditions.condition_id, properties.property
    from conditions
    cross join {{ ref('stg_user_properties') }} as properties
    where conditions.kind = 'user'
),

unknown as (
    select distinct declared.condition_id, declared.property
    from declared
    left join known on declared.condition_id = known.condition_id and declared.property = known.property
    where known.property is null
),

suggestions as (
    select
        unknown.condition_id,
        unknown.property,
        min_by(known.property, levenshtein(substr(lower(unknown.property), 1, 200), substr(lower(known.property), 1, 200))) as nearest
    from unknown
    inner join known on unknown.condition_id = known.condition_id
    group by unknown.condition_id, unknown.property
),

final as (
    select distinct
        declared.condition_id,
        case
            when suggestions.nearest is not null then {{ refuse_in_sql(unknown_name_message(
                'property', 'suggestions.property', 'suggestions.nearest', 'declared.condition_id'
            )) }}
            else declared.property
        end as property,
        declared.value
    from declared
    left join suggestions
        on declared.condition_id = suggestions.condition_id and declared.property = suggestions.property
)

select * from final
