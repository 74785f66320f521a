{# Pins and bans of the taxonomy, from the YAML of the definitions (config.meta.taxonomy). Grain:
   one row per rule. Patterns are for LIKE with ! as escape; NULL matches anything. #}
{{ config(tags=['daily']) }}
with

final as (
    {{ definition_rows('rules', {
        'rule': dbt.type_string(), 'is_ban': 'boolean', 'is_user_property': 'boolean',
        'event_name': dbt.type_string(), 'property': dbt.type_string(),
        'value': dbt.type_string(),
    }) }}
)

select * from final
