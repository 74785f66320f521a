{# What was said and what happened, added up in narrow cells of log-odds: what the calibration
   tables are made of. Grain: one row per (prediction, kind, property, value, cell). held out: what
   the champion, before it was fitted on everybody, said of users it had not seen. matured: each
   user's newest score of which the outcome is known. property and value: last known before as_of;
   NULL for everybody. #}
{{ config(tags=['daily']) }}
{%- set cells_per_unit = 20 -%}
{%- set edge = 0.0000001 -%}
with

now as (select as_of, as_of_hour from {{ ref('stg_as_of') }}),

held_out as (
    select
        scores.prediction,
        'held out' as kind,
        scores.model_id,
        scores.user_id,
        {{ hour_index('scores.as_of') }} as as_of_hour,
        scores.probability,
        scores.outcome
    from {{ source('ledger', 'held_out_scores') }} as scores
    inner join {{ source('ledger', 'models') }} as models on scores.model_id = models.model_id
    inner join {{ ref('prediction_definitions') }} as definitions
        on models.prediction = definitions.prediction
        and models.definition_hash = definitions.definition_hash
    inner join now on models.as_of <= now.as_of
    where models.status = 'champion'
),

outcomes as (
    select
        prediction,
        user_id,
        as_of,
        probability,
        outcome,
        row_number() over (
            partition by prediction, user_id order by as_of desc, model_id
        ) as place,
        max(as_of) over (partition by prediction) as newest_as_of
    from {{ ref('prediction_outcomes') }}
),

scores as (
    select prediction, kind, model_id, user_id, as_of_hour, probability, outcome from held_out
    union all
    select
        prediction,
        'matured' as kind,
        cast(null as {{ dbt.type_string() }}) as model_id,
        user_id,
        {{ hour_index('as_of') }} as as_of_hour,
        probability,
        outcome
    from outcomes
    where place = 1 and as_of > newest_as_of - interval '{{ var('calibration_days') }}' day
),

users as (
    select
        scores.prediction,
        scores.kind,
        scores.model_id,
        identities.identity_key as user_key,
        scores.as_of_hour,
        scores.outcome,
        least(greatest(scores.probability, {{ edge }}), 1 - {{ edge }}) as probability
    from scores
    inner join {{ ref('stg_identities') }} as identities on scores.user_id = identities.user_id
),

asked as (select distinct as_of_hour, user_key from users),

kept as (
    select property, value from {{ ref('taxonomy_user_properties') }} where is_kept
),

current_values as (
    select
        asked.as_of_hour,
        asked.user_key,
        stated.property,
        {{ value_at_max('stated.value', '(stated.stated_at, stated.identity_key)') }} as value
    from asked
    inner join {{ ref('stg_identity_map') }} as identity_map
        on asked.user_key = identity_map.user_key
        and asked.as_of_hour >= identity_map.from_hour
        and asked.as_of_hour < identity_map.to_hour
    inner join {{ ref('stg_user_properties') }} as stated
        on identity_map.identity_key = stated.identity_key
        and asked.as_of_hour > stated.event_hour
    group by asked.as_of_hour, asked.user_key, stated.property
),

segments as (
    select current_values.as_of_hour, current_values.user_key, kept.property, kept.value
    from current_values
    inner join kept
        on current_values.property = kept.property and current_values.value = kept.value
),

placed as (
    select
        users.*,
        cast(null as {{ dbt.type_string() }}) as property,
        cast(null as {{ dbt.type_string() }}) as value
    from users
    union all
    select users.*, segments.property, segments.value
    from users
    inner join segments
        on users.as_of_hour = segments.as_of_hour and users.user_key = segments.user_key
),

-- A cell lies within one tenth of the probabilities, so that these can be added up of cells.
located as (
    select
        placed.*,
        cast(least(floor(probability * 10), 9) as integer) as tenth,
        ln(probability / (1 - probability)) as log_odds,
        cast(
            floor(ln(probability / (1 - probability)) * {{ cells_per_unit }}) as integer
        ) as cell
    from placed
),

cells as (
    select
        prediction,
        kind,
        model_id,
        property,
        value,
        tenth,
        cell,
        count(*) as n_users,
        cast(sum(outcome) as bigint) as n_positives,
        sum(probability) as sum_probability,
        sum(log_odds) as sum_log_odds,
        min(as_of_hour) as first_as_of_hour,
        max(as_of_hour) as newest_as_of_hour
    from located
    group by prediction, kind, model_id, property, value, tenth, cell
),

sized as (
    select
        cells.*,
        sum(n_users) over (partition by prediction, kind, property, value) as n_segment,
        sum(n_positives) over (
            partition by prediction, kind, property, value
        ) as n_segment_positives
    from cells
),

final as (
    select
        prediction,
        kind,
        model_id,
        property,
        value,
        tenth,
        cell,
        n_users,
        n_positives,
        sum_probability,
        sum_log_odds,
        first_as_of_hour,
        newest_as_of_hour
    from sized
    where
        property is null
        or (
            n_segment >= {{ var('min_segment_users') }}
            and least(n_segment_positives, n_segment - n_segment_positives)
            >= {{ var('min_segment_outcomes') }}
        )
)

select * from final
