{# Predicted and observed values of value predictions: for all users, and in up to ten groups of
   equally many users from the lowest to the highest expected value. Grain: one row per (prediction,
   kind, group_number); NULL: all users. Users of about the same expected value (cells of a
   thousandth) stay together. Interval: of a mean of many users; heavy tails make it too short. #}
{{ config(tags=['daily']) }}
with

users as (
    select
        prediction,
        kind,
        model_id,
        outcome,
        expected_value,
        value,
        floor(1000 * ln(greatest(expected_value, 0.000001))) as cell
    from {{ ref('calibration_users') }}
    where expected_value is not null
),

ranked as (
    select
        users.*,
        rank() over (partition by prediction, kind order by cell) - 1 as n_below,
        count(*) over (partition by prediction, kind, cell) as n_together,
        count(*) over (partition by prediction, kind) as n_users
    from users
),

placed as (
    select
        prediction, kind, model_id, outcome, expected_value, value,
        cast(floor(10 * (n_below + n_together / 2.0) / n_users) as integer) + 1 as group_number
    from ranked
    union all
    select
        prediction, kind, model_id, outcome, expected_value, value,
        cast(null as integer) as group_number
    from users
),

summed as (
    select
        prediction,
        kind,
        group_number,
        model_id,
        count(*) as n_users,
        cast(sum(outcome) as bigint) as n_positives,
        avg(expected_value) as mean_expected_value,
        avg(value) as mean_value,
        1.959964e0 * (stddev_samp(value) / sqrt(count(*))) as half_width,
        avg(abs(value - expected_value)) as mean_absolute_error
    from placed
    group by prediction, kind, group_number, model_id
),

final as (
    select
        prediction,
        kind,
        group_number,
        model_id,
        n_users,
        n_positives,
        mean_expected_value,
        mean_value,
        case when half_width is not null then greatest(mean_value - half_width, 0) end as value_low,
        mean_value + half_width as value_high,
        mean_absolute_error
    from summed
)

select * from final
