{# What the present champions take: it stays computed where the taxonomy drops it, so that they can
   score, and be compared with the next model. Grain: one row per (feature_name, value); value is
   repeated for a feature of other values: those that are not meant. #}
{{ config(tags=['daily']) }}
with

models as (
    select model_id, prediction, definition_hash, as_of, trained_at
    from {{ source('history', 'models') }}
    where status in ('champion', 'retired')
),

-- As foretell.pipeline.registry finds them: of a past hour a retired one is the champion still.
ranked as (
    select
        models.model_id,
        row_number() over (
            partition by models.prediction order by models.as_of desc, models.trained_at desc
        ) as place
    from models
    inner join {{ ref('prediction_definitions') }} as definitions
        on models.prediction = definitions.prediction
        and models.definition_hash = definitions.definition_hash
    inner join {{ ref('stg_as_of') }} as now on models.as_of <= now.as_of
),

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
    from {{ source('history', 'model_features') }} as taken
    inner join ranked on taken.model_id = ranked.model_id and ranked.place = 1
)

select * from final
