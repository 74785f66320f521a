{# Calibration: predicted against observed, for all users and for each large segment. Grain: one row
   per (prediction, kind, property, value). Intercept and slope: logistic regression of the outcome
   on the predicted log-odds (Cox 1958; Van Calster et al. 2019), by Newton's method on the
   cells. #}
{{ config(tags=['daily']) }}
{%- set n_steps = 8 -%}
{%- set segment = 'prediction, kind, property, value' -%}
with

cells as (
    select
        prediction, kind, property, value, n_users, n_positives,
        sum_log_odds / n_users as log_odds
    from {{ ref('calibration_cells') }}
),

tenths as (
    select
        prediction,
        kind,
        model_id,
        property,
        value,
        sum(n_users) as n_users,
        sum(n_positives) as n_positives,
        sum(sum_probability) as sum_probability,
        abs(sum(n_positives) - sum(sum_probability)) as gap,
        min(first_as_of_hour) as first_as_of_hour,
        max(newest_as_of_hour) as newest_as_of_hour
    from {{ ref('calibration_cells') }}
    group by prediction, kind, model_id, property, value, tenth
),

totals as (
    select
        prediction,
        kind,
        model_id,
        property,
        value,
        cast(sum(n_users) as bigint) as n_users,
        cast(sum(n_positives) as bigint) as n_positives,
        sum(sum_probability) as sum_probability,
        sum(gap) as gap,
        min(first_as_of_hour) as first_as_of_hour,
        max(newest_as_of_hour) as newest_as_of_hour
    from tenths
    group by prediction, kind, model_id, property, value
),

-- alone: the intercept with a slope of 1; intercept and slope: both free.
step_0 as (
    select
        {{ segment }},
        ln((n_positives + 0.5e0) / (n_users - n_positives + 0.5e0))
        - ln(sum_probability / (n_users - sum_probability)) as alone,
        ln((n_positives + 0.5e0) / (n_users - n_positives + 0.5e0))
        - ln(sum_probability / (n_users - sum_probability)) as intercept,
        cast(1 as double) as slope
    from totals
),
{% for step in range(1, n_steps + 1) %}
step_{{ step }} as ({{ recalibration_step('cells', 'step_' ~ (step - 1)) }}),
{% endfor %}
fitted as (
    select
        {{ segment }},
        case when alone_move < 0.001 then alone end as alone,
        case when alone_move < 0.001 then 1.959964 * alone_error end as alone_half,
        case when both_move < 0.001 then slope end as slope,
        case when both_move < 0.001 then 1.959964 * slope_error end as slope_half
    from step_{{ n_steps }}
),

final as (
    select
        totals.prediction,
        totals.kind,
        totals.property,
        totals.value,
        totals.model_id,
        {{ hour_start('totals.first_as_of_hour') }} as first_as_of,
        {{ hour_start('totals.newest_as_of_hour') }} as newest_as_of,
        totals.n_users,
        totals.n_positives,
        totals.sum_probability / totals.n_users as mean_probability,
        1e0 * totals.n_positives / totals.n_users as observed_rate,
        {{ wilson_end('totals.n_positives', 'totals.n_users', '-') }} as observed_low,
        {{ wilson_end('totals.n_positives', 'totals.n_users', '+') }} as observed_high,
        totals.gap / totals.n_users as expected_calibration_error,
        fitted.alone as calibration_intercept,
        fitted.alone - fitted.alone_half as intercept_low,
        fitted.alone + fitted.alone_half as intercept_high,
        fitted.slope as calibration_slope,
        fitted.slope - fitted.slope_half as slope_low,
        fitted.slope + fitted.slope_half as slope_high
    from totals
    left join fitted
        on totals.prediction = fitted.prediction
        and totals.kind = fitted.kind
        and totals.property is not distinct from fitted.property
        and totals.value is not distinct from fitted.value
)

select * from final
