{# The outcome of each prediction, as a counter of its own past: the measure, bounds and horizon of
   the outcome. Grain: one row per prediction. counter_id is below -2e9, which distinguishes it from
   those of measures, and is the same in every build. #}
with

final as (
    select
        outcomes.prediction,
        outcomes.measure_id,
        outcomes.kind,
        outcomes.min_count,
        outcomes.max_count,
        definitions.horizon_days,
        -2000000010 - {{ hash_bucket('outcomes.prediction', 100000000) }} as counter_id
    from {{ ref('prediction_conditions') }} as outcomes
    inner join {{ ref('prediction_definitions') }} as definitions
        on outcomes.prediction = definitions.prediction
    where outcomes.role = 'outcome'
)

select * from final
