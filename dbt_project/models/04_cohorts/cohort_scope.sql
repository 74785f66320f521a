{# Full run, or active users only. Active-only (var scope: active) is allowed when the tables of the
   run before are complete and current; `reason` says why not. since_hour: users with events since
   then are active, more than the last hour where an hourly run was missed or stopped. Grain: one
   row; none without events. #}
{%- set models, definitions = source('history', 'models'), ref('prediction_definitions') -%}
{%- set existing = existing_tables() %}
with

now as (select as_of_hour, as_of from {{ ref('stg_as_of') }}),

{% if var('scope') == 'active' and existing -%}
-- The newest of each table: all the same, unless a run was stopped on its way.
newest as (
    select
        now.as_of_hour,
        now.as_of,
        scoring_rows.as_of as cohorts_as_of,
        predictions.as_of as predictions_as_of,
        audiences.as_of as audiences_as_of,
        history.as_of as scores_as_of
    from now
    cross join (select max(as_of) as as_of from {{ existing['scoring_rows'] }}) as scoring_rows
    cross join (select max(as_of) as as_of from {{ existing['predictions'] }}) as predictions
    cross join (select max(as_of) as as_of from {{ existing['audiences'] }}) as audiences
    cross join (
        select max(history.as_of) as as_of
        from {{ existing['prediction_history'] }} as history
        inner join now on history.as_of <= now.as_of
    ) as history
),

shown as (
    select prediction, model_id, is_of_older_definition, min(as_of) as oldest_as_of
    from {{ existing['predictions'] }}
    group by prediction, model_id, is_of_older_definition
),

-- Scores that are shown and should be no longer.
outdated as (
    select count(*) as n_shown
    from shown
    cross join now
    left join {{ models }} as models on shown.model_id = models.model_id
    left join {{ definitions }} as definitions on shown.prediction = definitions.prediction
    where
        definitions.prediction is null
        or models.model_id is null
        or shown.is_of_older_definition <> (models.definition_hash <> definitions.definition_hash)
        or shown.oldest_as_of < now.as_of - interval '{{ var('max_score_age_days') }}' day
),

gone as (
    select count(*) as n_predictions
    from (select distinct prediction from {{ existing['scoring_rows'] }}) as asked
    left join {{ definitions }} as definitions on asked.prediction = definitions.prediction
    where definitions.prediction is null
),

reasons as (
    select
        newest.as_of_hour,
        least(newest.as_of_hour - 1, {{ hour_index(
            'least(predictions_as_of, cohorts_as_of, audiences_as_of, scores_as_of)'
        ) }}) as since_hour,
        case
            when newest.predictions_as_of is null then 'there is no score yet'
            when newest.cohorts_as_of > newest.as_of then 'a past hour is replayed'
            when
                newest.predictions_as_of <> newest.cohorts_as_of
                or newest.predictions_as_of <> newest.scores_as_of
                or newest.predictions_as_of is distinct from newest.audiences_as_of
                then 'a run before was stopped, or replayed a past hour'
            when outdated.n_shown > 0 then 'scores that are shown are too old, or their model is'
            when gone.n_predictions > 0 then 'a prediction is not defined any more'
        end as reason
    from newest
    cross join outdated
    cross join gone
),
{%- else -%}
reasons as (
    select
        as_of_hour,
        as_of_hour - 1 as since_hour,
        '{{ 'a daily run' if var('scope') == 'everyone' else 'there is no table yet' }}' as reason
    from now
),
{%- endif %}

final as (
    select
        as_of_hour,
        since_hour,
        case when reason is null then 'active' else 'everyone' end as scope,
        reason
    from reasons
)

select * from final
