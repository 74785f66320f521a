{# The model that scores each prediction now: the newest promoted one of the present definition
   whose as_of is not after now. In a replay of a past hour this may be a model that has retired
   since. Grain: one row per prediction that has a model. No other table decides which model
   scores. #}
{{ config(materialized='view') }}
with

ranked as (
    select
        models.prediction,
        models.model_id,
        row_number() over (
            partition by models.prediction order by models.as_of desc, models.trained_at desc
        ) as place
    from {{ in_view(ref('models')) }} as models
    inner join {{ in_view(ref('prediction_definitions')) }} as definitions
        on models.prediction = definitions.prediction
        and models.definition_hash = definitions.definition_hash
    inner join {{ in_view(ref('stg_as_of')) }} as now on models.as_of <= now.as_of
    where models.status in ('champion', 'retired')
),

final as (
    select prediction, model_id
    from ranked
    where place = 1
)

select * from final
