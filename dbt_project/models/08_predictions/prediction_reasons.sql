{# The reasons for each user's score in `predictions`, where a prediction requests them
   (docs/reasons.md). Grain: one row per (prediction, user_id, place). The rows of a user add up to
   the log-odds before calibration: place 0 is the starting value, equal for all users, then the
   largest contributions, last the sum of all others. #}
with

reasons as (
    select prediction, user_id, as_of, model_id, place, input, words, contribution
    from {{ ref('reasons') }}
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
