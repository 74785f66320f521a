{# Observed outcomes of users who were scored, once the horizon has passed. Grain: one row per
   (prediction, user_id, as_of, model_id) of the history whose outcome window ended before now. #}
{{ config(tags=['daily']) }}
with

as_of as (select as_of_hour from {{ ref('stg_as_of') }}),

history as (
    select
        history.prediction,
        history.user_id,
        history.as_of,
        history.model_id,
        max(history.probability) as probability,
        max(history.expected_value) as expected_value
    from {{ ref('prediction_history') }} as history
    inner join {{ ref('models') }} as models on history.model_id = models.model_id
    inner join {{ ref('prediction_definitions') }} as definitions
        on history.prediction = definitions.prediction
        and models.definition_hash = definitions.definition_hash
    group by history.prediction, history.user_id, history.as_of, history.model_id
),

matured as (
    select
        history.prediction,
        history.user_id,
        history.as_of,
        history.model_id,
        history.probability,
        history.expected_value,
        users.identity_key as user_key,
        {{ hour_index('history.as_of') }} as as_of_hour
    from history
    inner join {{ ref('prediction_definitions') }} as definitions
        on history.prediction = definitions.prediction
    inner join {{ ref('stg_identities') }} as users on history.user_id = users.user_id
    inner join as_of
        on {{ hour_index('history.as_of') }} + definitions.horizon_hours <= as_of.as_of_hour
),

scored_rows as (select distinct prediction, as_of_hour, user_key from matured),

windows as (
    select distinct
        conditions.measure_id,
        scored_rows.as_of_hour as from_hour,
        scored_rows.as_of_hour + definitions.horizon_hours as to_hour
    from scored_rows
    inner join {{ ref('prediction_definitions') }} as definitions
        on scored_rows.prediction = definitions.prediction
    inner join {{ ref('prediction_conditions') }} as conditions
        on scored_rows.prediction = conditions.prediction and conditions.role = 'outcome'
),

counts as (
    select
        windows.measure_id,
        windows.from_hour,
        windows.to_hour,
        windows.to_hour as owner_as_of_hour,
        identity_map.user_key,
        sum(counted.n_events) as n_events,
        sum(counted.amount) as amount
    from windows
    inner join {{ measure_hours() }} as counted
        on windows.measure_id = counted.measure_id
        and windows.from_hour <= counted.event_hour
        and windows.to_hour > counted.event_hour
    inner join {{ ref('stg_identity_map') }} as identity_map
        on {{ owner_as_of('counted.identity_key', 'windows.to_hour') }}
    group by all
),

outcomes as (
    {{ count_outcomes('scored_rows', 'counts') }}
),

final as (
    select
        matured.prediction,
        matured.user_id,
        matured.as_of,
        matured.model_id,
        matured.probability,
        outcomes.label as outcome,
        matured.expected_value,
        outcomes.value
    from matured
    inner join outcomes
        on matured.prediction = outcomes.prediction
        and matured.as_of_hour = outcomes.as_of_hour
        and matured.user_key = outcomes.user_key
)

select * from final
