{# Why each user in `predictions` has that score, where it was asked for (docs/reasons.md). Grain:
   one row per (prediction, user_id, place). The rows of a user add up to the log-odds before
   calibration: place 0 is where everybody starts, then the largest contributions, last all else. #}
with

reasons as (
    select prediction, user_id, as_of, model_id, place, input, words, contribution
    from {{ source('internal', 'reasons') }}
),

predictions as (select prediction, user_id, as_of, model_id from {{ ref('predictions') }}),

final as (
    select
        reasons.prediction,
        reasons.user_id,
        reasons.as_of,
        reasons.model_id,
        reasons.place,
        reasons.input,
        reasons.words,
        reasons.contribution,
        'goes together with the outcome, need not cause it' as meaning
    from reasons
    inner join predictions
        on reasons.prediction = predictions.prediction
        and reasons.user_id = predictions.user_id
        and reasons.as_of = predictions.as_of
        and reasons.model_id = predictions.model_id
)

select * from final
