{# The windows in which measures are counted, for all predictions at once. Grain: one row per
   (measure_id, from_hour, to_hour, owner_as_of_hour). Cohort conditions use [as_of - from_days_ago,
   as_of - to_days_ago), outcomes of training snapshots [as_of, as_of + horizon). Users are resolved
   as known before owner_as_of_hour: as_of for a cohort, the end of the window for an outcome.
   Outcomes are counted for all users, not only the sample, because a sampled visitor may have
   logged in as any user by the end of the window. #}
with

final as (
    select
        conditions.measure_id,
        case
            when conditions.role = 'outcome' then snapshots.as_of_hour
            when conditions.from_days_ago is null then 0
            else snapshots.as_of_hour - 24 * conditions.from_days_ago
        end as from_hour,
        case
            when conditions.role = 'outcome' then snapshots.as_of_hour + snapshots.horizon_hours
            else snapshots.as_of_hour - 24 * conditions.to_days_ago
        end as to_hour,
        case
            when conditions.role = 'outcome' then snapshots.as_of_hour + snapshots.horizon_hours
            else snapshots.as_of_hour
        end as owner_as_of_hour,
        max(case
            when conditions.role = 'outcome' then 1000000 else snapshots.sample_per_million
        end) as sample_per_million
    from {{ ref('cohort_snapshots') }} as snapshots
    inner join {{ ref('prediction_conditions') }} as conditions
        on snapshots.prediction = conditions.prediction and conditions.measure_id is not null
    where conditions.role = 'cohort' or snapshots.purpose = 'training'
    group by all
)

select * from final
