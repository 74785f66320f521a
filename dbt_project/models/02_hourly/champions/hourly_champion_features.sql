{# Inputs of the current champions. They are still computed after the taxonomy drops them, so that
   champions can score and be compared with the next model. Grain: one row per (feature_name,
   value). A feature of other values has one row per kept value, which is the value that it
   excludes. #}
{{ config(tags=['daily']) }}
with

final as (
    select distinct
        taken.feature_name,
        taken.kind,
        taken.event_name,
        taken.property,
        taken.value,
        taken.kept_values_hash,
        taken.is_version,
        taken.week
    from {{ ref('model_features') }} as taken
    inner join {{ ref('champions') }} as champions on taken.model_id = champions.model_id
)

select * from final
