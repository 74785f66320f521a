{# The newest score of every user in a prediction's starting cohort: the table BI tools read. Grain:
   one row per (prediction, user_id). Contract columns: DESIGN.md section 4. An hourly run reads new
   and current scores of the processed users only, because the history grows every day. After a
   definition was changed, a user's score by the old definition stays, marked, until there is one by
   the new definition, so that no user disappears from readers. #}
{{ config(processed_by={'user_id': 'user_id'}) }}
{%- set is_hourly = is_hourly_run() %}
-- Inputs of the Python step that writes scores, named here for the lineage.
-- depends_on: {{ ref('champions') }}, {{ ref('training_rows') }}, {{ ref('user_features') }}
-- depends_on: {{ ref('cohort_scope') }}
with

-- Scores before this are too old to show.
oldest as (
    select max(as_of) - interval '{{ var('max_score_age_days') }}' day as as_of
    from {{ ref('scoring_rows') }}
),
{%- if is_hourly %}

-- Users who are not processed keep their rows of the present table; others get new scores only.
since as (
    select
        case
            when scope.scope = 'active' then {{ hour_start('scope.as_of_hour') }} else oldest.as_of
        end as as_of
    from {{ ref('cohort_scope') }} as scope
    cross join oldest
),
{%- endif %}

scores as (
    select
        prediction, user_id, probability, expected_value, percentile, as_of, scored_at, model_id
    from {{ ref('prediction_history') }}
    where as_of >= (select since.as_of from {{ 'since' if is_hourly else 'oldest' }} as since)
    {%- if is_hourly %}
    union all
    select
        prediction, user_id, probability, expected_value, percentile, as_of, scored_at, model_id
    from {{ this }}
    where
        as_of >= (select oldest.as_of from oldest)
        and as_of < (select since.as_of from since)
    {%- endif %}
),

models as (select model_id, definition_hash from {{ ref('models') }}),

definitions as (select prediction, definition_hash from {{ ref('prediction_definitions') }}),

cohort as (
    select prediction, user_id, as_of
    from {{ ref('scoring_rows') }}
    {%- if var('scope') == 'active' %}
    where user_id in (select processed.user_id from {{ ref('cohort_processed_identities') }} as processed)
    {%- endif %}
),

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
        models.definition_hash <> definitions.definition_hash as is_of_older_definition,
        row_number() over (
            partition by scores.prediction, scores.user_id
            order by
                models.definition_hash <> definitions.definition_hash,
                scores.as_of desc,
                scores.scored_at desc,
                scores.model_id
        ) as place
    from scores
    inner join models on scores.model_id = models.model_id
    inner join definitions on scores.prediction = definitions.prediction
    inner join cohort
        on scores.prediction = cohort.prediction and scores.user_id = cohort.user_id
    where scores.as_of <= cohort.as_of
),

final as (
    select
        prediction, user_id, probability, expected_value, percentile, as_of, scored_at, model_id,
        is_of_older_definition
    from ranked
    where place = 1
)

select * from final
