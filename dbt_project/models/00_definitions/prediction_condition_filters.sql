{# Values that a property must have (any one of them), as value or as range. Grain: one row per
   (condition_id, property, value, min_value, max_value); all NULL: the property that is summed. #}
with

declared as (
    {{ definition_rows('filters', {
        'condition_id': dbt.type_string(), 'property': dbt.type_string(),
        'value': dbt.type_string(), 'min_value': 'decimal(24, 6)', 'max_value': 'decimal(24, 6)',
    }) }}
),

final as (select distinct condition_id, property, value, min_value, max_value from declared)

select * from final
