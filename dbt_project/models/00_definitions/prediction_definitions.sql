{# The requested predictions, one row each, from the exposures of type ml. #}
with

declared as (
    {{ definition_rows('definitions', {
        'prediction': dbt.type_string(), 'label': dbt.type_string(), 'horizon_days': 'integer',
        'is_anonymous_included': 'boolean', 'has_reasons': 'boolean', 'is_value': 'boolean',
        'budget_minutes': 'integer', 'budget_memory_gb': 'integer',
        'definition': dbt.type_string(), 'definition_hash': dbt.type_string(), 'file': dbt.type_string(),
    }) }}
),

final as (
    select
        prediction,
        label,
        horizon_days,
        cast(horizon_days as integer) * 24 as horizon_hours,
        is_anonymous_included,
        has_reasons,
        is_value,
        budget_minutes,
        budget_memory_gb,
        definition,
        definition_hash,
        file
    from declared
)

select * from final
