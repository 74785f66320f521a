{# The newest score of every user in a prediction's starting cohort: what BI tools read.
   Grain: one row per (prediction, user_id). Contract columns: DESIGN.md section 4. An hourly run takes
   new scores only and leaves the rest as it stands: the ledger grows with every day. #}
{%- set leaves_others = leaves_other_predictions() %}
with

now as (select max(as_of) as as_of from {{ ref('scoring_rows') }}),

scores as (
    select
        prediction, user_id, probability, expected_value, percentile, as_of, scored_at, model_id
    from {{ source('ledger', 'prediction_history') }}
    where
        as_of >= (
            {%- if leaves_others %}
            select max(now.as_of) from {{ ref('stg_as_of') }} as now
            {%- else %}
            select max(now.as_of) - interval '{{ var('max_score_age_days') }}' day from now
            {%- endif %}
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

new_scores as (
    select
        prediction, user_id, probability, expected_value, percentile, as_of, scored_at, model_id
    from ranked
    where place = 1
),

{% if leaves_others -%}
-- Who was looked at and is in the cohort no more.
looked_at as (
    select definitions.prediction, definitions.definition_hash, users.user_id
    from {{ ref('cohort_active_identities') }} as active
    inner join {{ ref('stg_identities') }} as users on active.identity_key = users.identity_key
    cross join definitions
),

gone as (
    select looked_at.prediction, looked_at.user_id
    from looked_at
    left join cohort
        on looked_at.prediction = cohort.prediction and looked_at.user_id = cohort.user_id
    where cohort.user_id is null
),

standing as (
    select standing.*
    from {{ this }} as standing
    inner join now
        on standing.as_of >= now.as_of - interval '{{ var('max_score_age_days') }}' day
    inner join models on standing.model_id = models.model_id
    inner join definitions
        on standing.prediction = definitions.prediction
        and models.definition_hash = definitions.definition_hash
    left join new_scores
        on standing.prediction = new_scores.prediction and standing.user_id = new_scores.user_id
    left join gone
        on standing.prediction = gone.prediction and standing.user_id = gone.user_id
    where new_scores.user_id is null and gone.user_id is null
),

{% endif -%}
final as (
    select * from new_scores
    {%- if leaves_others %}
    union all
    select
        prediction, user_id, probability, expected_value, percentile, as_of, scored_at, model_id
    from standing
    {%- endif %}
)

select * from final
