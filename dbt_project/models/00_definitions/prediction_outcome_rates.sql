{# What each prediction asks about, as a counter of its own past: its outcome's measure, bounds
   and horizon. Grain: one row per prediction. counter_id is below -2e9, to tell it from those of
   measures, and the same in every build. #}
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
