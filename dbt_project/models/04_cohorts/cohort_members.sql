{# Who is in a prediction's starting cohort. Grain: one row per (prediction, as_of_hour, user_key).
   A condition looks at [as_of - within_days, as_of); users are resolved as known before as_of. #}
with

snapshots as (
    select prediction, as_of_hour, sample_per_million from {{ ref('cohort_snapshots') }}
),

conditions as (
    select condition_id, prediction, kind, measure_id, min_count, max_count, within_days, n_filters
    from {{ ref('prediction_conditions') }}
    where role = 'cohort'
),

identities as (select identity_key, first_hour from {{ ref('stg_identities') }}),

counts as (
    select
        snapshots.prediction,
        snapshots.as_of_hour,
        conditions.condition_id,
        conditions.min_count,
        conditions.max_count,
        counted.user_key,
        counted.n_events
    from snapshots
    inner join conditions
        on snapshots.prediction = conditions.prediction and conditions.kind = 'count'
    inner join {{ ref('cohort_window_counts') }} as counted
        on conditions.measure_id = counted.measure_id
        and snapshots.as_of_hour = counted.to_hour
        and coalesce(snapshots.as_of_hour - 24 * conditions.within_days, 0) = counted.from_hour
),

user_matches as (
    select
        snapshots.prediction,
        snapshots.as_of_hour,
        conditions.condition_id,
        current_values.user_key
    from snapshots
    inner join conditions
        on snapshots.prediction = conditions.prediction and conditions.kind = 'user'
    inner join {{ ref('prediction_condition_filters') }} as filters
        on conditions.condition_id = filters.condition_id
    inner join {{ ref('cohort_user_properties') }} as current_values
        on snapshots.as_of_hour = current_values.as_of_hour
        and filters.property = current_values.property
        and {{ matches_value('current_values.last_value', 'filters.value') }}
    group by
        snapshots.prediction, snapshots.as_of_hour, conditions.condition_id, conditions.n_filters,
        current_values.user_key
    having count(distinct filters.property) = conditions.n_filters
),

-- Everybody seen before as_of, so that "at most" conditions also reach users who did nothing.
everybody as (
    select distinct
        snapshots.prediction,
        snapshots.as_of_hour,
        identity_map.user_key
    from snapshots
    inner join identities on identities.first_hour < snapshots.as_of_hour
    inner join {{ ref('stg_identity_map') }} as identity_map
        on {{ belongs_as_of('identities.identity_key', 'snapshots.as_of_hour') }}
        and identity_map.user_key % 1000000 < snapshots.sample_per_million
),

verdicts as (
    select prediction, as_of_hour, user_key, 0 as n_passed, 0 as n_failed from everybody
    union all
    select
        prediction,
        as_of_hour,
        user_key,
        case
            when min_count > 0 and n_events between min_count and coalesce(max_count, n_events)
                then 1
            else 0
        end as n_passed,
        case when min_count = 0 and n_events > max_count then 1 else 0 end as n_failed
    from counts
    union all
    select prediction, as_of_hour, user_key, 1 as n_passed, 0 as n_failed from user_matches
),

needed as (
    select prediction, sum(case when min_count > 0 then 1 else 0 end) as n_needed
    from conditions
    group by prediction
),

final as (
    select
        verdicts.prediction,
        verdicts.as_of_hour,
        verdicts.user_key
    from verdicts
    inner join needed on verdicts.prediction = needed.prediction
    inner join snapshots
        on verdicts.prediction = snapshots.prediction
        and verdicts.as_of_hour = snapshots.as_of_hour
        and verdicts.user_key % 1000000 < snapshots.sample_per_million
    group by verdicts.prediction, verdicts.as_of_hour, verdicts.user_key, needed.n_needed
    having sum(verdicts.n_passed) = needed.n_needed and sum(verdicts.n_failed) = 0
)

select * from final
