{# The newest score of every user in a prediction's starting cohort: what BI tools read.
   Grain: one row per (prediction, user_id). Contract columns: DESIGN.md section 4. #}
with

scores as (
    select
        prediction, user_id, probability, expected_value, percentile, as_of, scored_at, model_id
    from {{ source('ledger', 'prediction_history') }}
    -- Old scores say little, and the ledger grows for ever.
    where
        as_of >= (
            select max(scoring_rows.as_of) - interval '{{ var('max_score_age_days') }}' day
            from {{ ref('scoring_rows') }} as scoring_rows
        )
),

models as (select model_id, definition_hash from {{ source('ledger', 'models') }}),

definitions as (select prediction, definition_hash from {{ ref('prediction_definitions') }}),

cohort as (select prediction, user_id, as_of from {{ ref('scoring_rows') }}),

ranked as (
    select
        scores.prediction,
        scores.user_id,
        scores.probability,
        scores.expected_value,
        scores.percentile,
        scores.as_of,
        scores.scored_at,
        scores.model_id,
        row_number() over (
            partition by scores.prediction, scores.user_id
            order by scores.as_of desc, scores.scored_at desc, scores.model_id
        ) as place
    from scores
    inner join models on scores.model_id = models.model_id
    inner join definitions
        on scores.prediction = definitions.prediction
        and models.definition_hash = definitions.definition_hash
    inner join cohort
        on scores.prediction = cohort.prediction and scores.user_id = cohort.user_id
    where scores.as_of <= cohort.as_of
),

final as (
    select
        prediction, user_id, probability, expected_value, percentile, as_of, scored_at, model_id
    from ranked
    where place = 1
)

select * from final
