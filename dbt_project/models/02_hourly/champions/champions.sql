{# Which model scores each prediction now: the newest one of the present definition that was promoted
   and knew nothing after now. Of a past hour that may be one that has retired since. Grain: one row
   per prediction that has a model. The only place that says who scores. #}
{{ config(materialized='view') }}
with

ranked as (
    select
        models.prediction,
        models.model_id,
        row_number() over (
            partition by models.prediction order by models.as_of desc, models.trained_at desc
        ) as place
    from {{ source('history', 'models') }} as models
    inner join {{ ref('prediction_definitions') }} as definitions
        on models.prediction = definitions.prediction
        and models.definition_hash = definitions.definition_hash
    inner join {{ ref('stg_as_of') }} as now on models.as_of <= now.as_of
    where models.status in ('champion', 'retired')
),

final as (
    select prediction, model_id
    from ranked
    where place = 1
)

select * from final
