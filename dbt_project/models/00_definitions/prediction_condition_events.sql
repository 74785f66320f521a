{# Event types a condition counts. Grain: one row per (condition_id, event_name); NULL is any
   event. #}
with

declared as (
    {{ definition_rows('events', {
        'condition_id': dbt.type_string(), 'event_name': dbt.type_string(),
    }) }}
),

final as (select distinct condition_id, event_name from declared)

select * from final
