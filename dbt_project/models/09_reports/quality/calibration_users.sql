{# Scores with a known outcome, one per user: the rows that calibration is measured on. Grain: one
   row per (prediction, kind, user_key). held out: predictions of the champion, before it was
   refitted on all users, for users it had not seen. matured: each user's newest score whose outcome
   is known. #}
{{ config(tags=['daily']) }}
with

held_out as (
    select
        scores.prediction,
        'held out' as kind,
        scores.model_id,
        scores.user_id,
        {{ hour_index('scores.as_of') }} as as_of_hour,
        scores.probability,
        scores.outcome,
        scores.expected_value,
        scores.value
    from {{ ref('held_out_scores') }} as scores
    inner join {{ ref('champions') }} as champions on scores.model_id = champions.model_id
),

outcomes as (
    select
        prediction,
        user_id,
        as_of,
        probability,
        outcome,
        expected_value,
        value,
        row_number() over (
            partition by prediction, user_id order by as_of desc, model_id
        ) as place,
        max(as_of) over (partition by prediction) as newest_as_of
    from {{ ref('prediction_outcomes') }}
),

scores as (
    select
        prediction, kind, model_id, user_id, as_of_hour, probability, outcome, expected_value, value
    from held_out
    union all
    select
        prediction,
        'matured' as kind,
        cast(null as {{ dbt.type_string() }}) as model_id,
        user_id,
        {{ hour_index('as_of') }} as as_of_hour,
        probability,
        outcome,
        expected_value,
        value
    from outcomes
    where place = 1 and as_of > newest_as_of - interval '{{ var('calibration_days') }}' day
),

final as (
    select
        scores.prediction,
        scores.kind,
        scores.model_id,
        identities.identity_key as user_key,
        scores.as_of_hour,
        scores.probability,
        scores.outcome,
        scores.expected_value,
        scores.value
    from scores
    inner join {{ ref('stg_identities') }} as identities on scores.user_id = identities.user_id
)

select * from final
