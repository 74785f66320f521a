{# The pins and bans of the taxonomy, with the number of existing names before as_of that each
   matches: 0 may be a misspelt name. A version is matched as it is counted, by its minor number.
   Grain: one row per rule. #}
with

names as (
    select
        volumes.event_name,
        volumes.property,
        {{ counted_value(kind_of_value('types.value_type'), 'volumes.value') }} as value,
        false as is_user_property
    from {{ ref('volume_values') }} as volumes
    left join {{ ref('volume_property_types') }} as types
        on volumes.event_name = types.event_name and volumes.property = types.property
    union all
    select null as event_name, property, value, true as is_user_property
    from {{ ref('taxonomy_user_properties') }}
),

final as (
    select
        rules.rule,
        count(names.is_user_property) as n_named
    from {{ ref('prediction_taxonomy_rules') }} as rules
    left join names
        on rules.is_user_property = names.is_user_property
        and {{ matches_pattern('names.event_name', 'rules.event_name') }}
        and {{ matches_pattern('names.property', 'rules.property') }}
        and {{ matches_pattern('names.value', 'rules.value') }}
    group by rules.rule
)

select * from final
