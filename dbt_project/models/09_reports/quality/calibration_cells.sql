{# Predicted and observed outcomes, added up in narrow cells of log-odds, for all users and for each
   large segment: the input of the calibration tables. Grain: one row per (prediction, kind,
   property, value, tenth, cell). property and value: last known before as_of; NULL for all
   users. #}
{{ config(tags=['daily']) }}
{%- set cells_per_unit = 20 -%}
{%- set edge = 0.0000001 -%}
with

users as (
    select
        prediction,
        kind,
        model_id,
        user_key,
        as_of_hour,
        outcome,
        least(greatest(probability, {{ edge }}), 1 - {{ edge }}) as probability
    from {{ ref('calibration_users') }}
),

scored_rows as (select distinct as_of_hour, user_key from users),

kept as (
    select property, value from {{ ref('taxonomy_user_properties') }} where is_kept
),

current_values as (
    select
        scored_rows.as_of_hour,
        scored_rows.user_key,
        stated.property,
        {{ value_at_max('stated.value', '(stated.stated_at, stated.identity_key)') }} as value
    from scored_rows
    inner join {{ ref('stg_identity_map') }} as identity_map
        on scored_rows.user_key = identity_map.user_key
        and scored_rows.as_of_hour >= identity_map.valid_from_hour
        and scored_rows.as_of_hour < identity_map.valid_to_hour
    inner join {{ ref('stg_user_properties') }} as stated
        on identity_map.identity_key = stated.identity_key
        and scored_rows.as_of_hour > stated.event_hour
    group by scored_rows.as_of_hour, scored_rows.user_key, stated.property
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

-- Each cell lies within one tenth of [0, 1], so that tenths are sums of cells.
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
