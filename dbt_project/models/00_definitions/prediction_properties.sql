{# Properties that definitions name in a `where`, a range or a sum, of events and of users.
   Grain: one row per (event_name, property); event_name is NULL where any event may carry it, or
   a user. #}
with

filters as (
    {{ definition_rows('filters', {
        'condition_id': dbt.type_string(), 'property': dbt.type_string(), 'value': dbt.type_string(),
    }) }}
),

events as (
    {{ definition_rows('events', {
        'condition_id': dbt.type_string(), 'event_name': dbt.type_string(),
    }) }}
),

final as (
    select
        events.event_name,
        filters.property,
        bool_or(filters.value is not null) as is_value_named,
        bool_or(filters.value is null) as is_amount_named
    from filters
    left join events on filters.condition_id = events.condition_id
    group by events.event_name, filters.property
)

select * from final
