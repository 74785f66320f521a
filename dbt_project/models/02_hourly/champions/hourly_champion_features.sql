{# What the present champions take: it stays computed where the taxonomy drops it, so that they can
   score, and be compared with the next model. Grain: one row per (feature_name, value); value is
   repeated for a feature of other values: those that are not meant. #}
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
    from {{ source('internal', 'model_features') }} as taken
    inner join {{ ref('champions') }} as champions on taken.model_id = champions.model_id
)

select * from final
