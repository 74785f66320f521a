{# How strongly each model input is related to each prediction's outcome, on the training rows: for
   people who review the taxonomy; no input is chosen by it. Grain: one row per (prediction,
   event_name, property, value). Odds of the outcome for users who had the input before as_of,
   divided by the odds of those without it; half a user is added to each of the four counts, so that
   none is 0. #}
{{ config(tags=['daily']) }}
with

inputs as (
    select feature_id, kind, event_name, property, value
    from {{ ref('features') }}
    where
        kind in ('value_count', 'value_sum_ever', 'user_property_number')
        or (kind = 'event_count_ever' and event_name is not null)
        or (kind = 'user_property_last' and value is not null)
),

-- A value is counted by week: once is enough.
had as (
    select inputs.event_name, inputs.property, inputs.value, counted.as_of_hour, counted.user_key
    from {{ ref('features_values') }} as counted
    inner join inputs on counted.feature_id = inputs.feature_id
    where inputs.kind <> 'value_count'
    union all
    select distinct
        inputs.event_name, inputs.property, inputs.value, counted.as_of_hour, counted.user_key
    from {{ ref('features_values') }} as counted
    inner join inputs on counted.feature_id = inputs.feature_id
    where inputs.kind = 'value_count'
),

labels as (
    select prediction, as_of_hour, user_key, label from {{ ref('training_rows') }}
),

totals as (
    select prediction, count(*) as n_rows, sum(label) as n_positives
    from labels
    group by prediction
),

counts as (
    select
        labels.prediction,
        had.event_name,
        had.property,
        had.value,
        count(*) as n_with,
        sum(labels.label) as n_positives_with
    from had
    inner join labels
        on had.as_of_hour = labels.as_of_hour and had.user_key = labels.user_key
    group by labels.prediction, had.event_name, had.property, had.value
),

smoothed as (
    select
        counts.*,
        totals.n_rows,
        counts.n_positives_with + 0.5e0 as with_yes,
        counts.n_with - counts.n_positives_with + 0.5e0 as with_no,
        totals.n_positives - counts.n_positives_with + 0.5e0 as without_yes,
        totals.n_rows - counts.n_with - totals.n_positives + counts.n_positives_with + 0.5e0
            as without_no
    from counts
    inner join totals on counts.prediction = totals.prediction
),

final as (
    select
        prediction,
        event_name,
        property,
        value,
        n_rows,
        n_with,
        cast(n_positives_with as bigint) as n_positives_with,
        (with_yes / with_no) / (without_yes / without_no) as odds_ratio,
        ln((with_yes / with_no) / (without_yes / without_no))
        / sqrt(1 / with_yes + 1 / with_no + 1 / without_yes + 1 / without_no) as z_score
    from smoothed
)

select * from final
