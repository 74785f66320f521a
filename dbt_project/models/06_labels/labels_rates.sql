{# Cohort size and outcome rate of each prediction at every as_of of its grid, shown by `foretell
   check-predictions`. Grain: one row per (prediction, as_of). Counts of sampled users are scaled
   up; as of now the outcome is not known yet. #}
{{ config(tags=['daily']) }}
with

snapshots as (
    select prediction, as_of_hour, as_of, purpose, sample_per_million
    from {{ ref('cohort_snapshots') }}
),

members as (
    select prediction, as_of_hour, count(*) as n_rows
    from {{ ref('cohort_members') }}
    group by prediction, as_of_hour
),

labels as (
    select prediction, as_of_hour, sum(label) as n_positives, sum(value) as sum_value
    from {{ ref('labels_outcomes') }}
    group by prediction, as_of_hour
),

final as (
    select
        snapshots.prediction,
        snapshots.as_of,
        snapshots.purpose,
        coalesce(members.n_rows, 0) as n_rows,
        case
            when snapshots.purpose = 'training' then cast(coalesce(labels.n_positives, 0) as bigint)
        end as n_positives,
        cast(
            round(coalesce(members.n_rows, 0) * 1e6 / snapshots.sample_per_million) as bigint
        ) as n_users,
        case
            when snapshots.purpose = 'training'
                then 1e0 * coalesce(labels.n_positives, 0) / members.n_rows
        end as outcome_rate,
        case
            when snapshots.purpose = 'training' then labels.sum_value / members.n_rows
        end as mean_value
    from snapshots
    left join members
        on snapshots.prediction = members.prediction
        and snapshots.as_of_hour = members.as_of_hour
    left join labels
        on snapshots.prediction = labels.prediction
        and snapshots.as_of_hour = labels.as_of_hour
)

select * from final
