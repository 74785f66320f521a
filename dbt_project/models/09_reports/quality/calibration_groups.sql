{# Predicted and observed rates in up to ten groups of equally many users, from the least to the
   most likely: a reliability diagram as rows. Grain: one row per (prediction, kind, property, value,
   group_number). Users of about the same probability (calibration_cells) stay together. #}
{{ config(tags=['daily']) }}
with

cells as (
    select
        prediction, kind, property, value, n_users, n_positives, sum_probability,
        sum(n_users) over (partition by prediction, kind, property, value) as n_segment,
        sum(n_users) over (
            partition by prediction, kind, property, value
            order by tenth, cell rows between unbounded preceding and current row
        ) as n_so_far
    from {{ ref('calibration_cells') }}
),

placed as (
    select
        cells.*,
        cast(least(floor(10 * (n_so_far - n_users / 2.0) / n_segment), 9) as integer) + 1
            as group_number
    from cells
),

grouped as (
    select
        prediction,
        kind,
        property,
        value,
        group_number,
        cast(sum(n_users) as bigint) as n_users,
        cast(sum(n_positives) as bigint) as n_positives,
        sum(sum_probability) / sum(n_users) as mean_probability
    from placed
    group by prediction, kind, property, value, group_number
),

final as (
    select
        prediction,
        kind,
        property,
        value,
        group_number,
        n_users,
        n_positives,
        mean_probability,
        1e0 * n_positives / n_users as observed_rate,
        {{ wilson_end('n_positives', 'n_users', '-') }} as observed_low,
        {{ wilson_end('n_positives', 'n_users', '+') }} as observed_high
    from grouped
)

select * from final
