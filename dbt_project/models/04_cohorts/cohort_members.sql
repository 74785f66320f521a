{# Members of each prediction's starting cohort. Grain: one row per (prediction, as_of_hour,
   user_key): users for whom all clauses hold. Windows end at as_of or before; users are resolved as
   known before as_of. Users without events have no counts. So for conditions that hold without
   events only failed users are collected, for other conditions only passing users. An hourly run
   processes active users only (of_processed_users). #}
{%- set total = 'coalesce(counted.amount, counted.n_events)' -%}
with

snapshots as (
    select prediction, as_of_hour, sample_per_million from {{ ref('cohort_snapshots') }}
),

clauses as (select * from {{ ref('prediction_clauses') }}),

counts as (
    select
        snapshots.prediction,
        snapshots.as_of_hour,
        clauses.clause_id,
        clauses.n_conditions,
        clauses.n_hold_for_nobody,
        counted.user_key,
        not clauses.holds_for_nobody as is_passed
    from snapshots
    inner join clauses on snapshots.prediction = clauses.prediction
    inner join {{ ref('cohort_window_counts') }} as counted
        on clauses.measure_id = counted.measure_id
        and snapshots.as_of_hour = counted.owner_as_of_hour
        and snapshots.as_of_hour - 24 * clauses.to_days_ago = counted.to_hour
        and coalesce(snapshots.as_of_hour - 24 * clauses.from_days_ago, 0) = counted.from_hour
    where
        (clauses.is_negated = {{ is_within(total, 'clauses') }}) = clauses.holds_for_nobody
),

user_matches as (
    select
        snapshots.prediction,
        snapshots.as_of_hour,
        clauses.clause_id,
        clauses.n_conditions,
        clauses.n_hold_for_nobody,
        current_values.user_key,
        not clauses.holds_for_nobody as is_passed
    from snapshots
    inner join clauses
        on snapshots.prediction = clauses.prediction and clauses.kind = 'user'
    inner join {{ ref('prediction_condition_filters') }} as filters
        on clauses.condition_id = filters.condition_id
    inner join {{ ref('cohort_user_properties') }} as current_values
        on snapshots.as_of_hour = current_values.as_of_hour
        and filters.property = current_values.property
        and {{ matches_value('current_values.last_value', 'filters') }}
    group by
        snapshots.prediction, snapshots.as_of_hour, clauses.clause_id, clauses.condition_id,
        clauses.n_conditions, clauses.n_hold_for_nobody, clauses.holds_for_nobody,
        clauses.n_filters, current_values.user_key
    having count(distinct filters.property) = clauses.n_filters
),

decided as (
    select * from counts
    union all
    select * from user_matches
),

-- A clause of several conditions holds if the user passed one of them, or did not fail all of those
-- that hold without events.
judged_clauses as (
    select prediction, as_of_hour, user_key, n_hold_for_nobody, is_passed
    from decided
    where n_conditions = 1
    union all
    select prediction, as_of_hour, user_key, n_hold_for_nobody, bool_or(is_passed) as is_passed
    from decided
    where n_conditions > 1
    group by prediction, as_of_hour, user_key, clause_id, n_hold_for_nobody
    having bool_or(is_passed) or count(*) = n_hold_for_nobody
),

-- All users seen before as_of, so that "at most" conditions include users without events.
everybody as (
    select
        snapshots.prediction,
        snapshots.as_of_hour,
        identity_map.user_key,
        max(case
            when
                identities.identity_key = identity_map.user_key
                and not identities.is_user
                and not definitions.is_anonymous_included
                then 1
            else 0
        end) as n_failed
    from snapshots
    inner join {{ ref('prediction_definitions') }} as definitions
        on snapshots.prediction = definitions.prediction
    inner join {{ ref('stg_identities') }} as identities
        on identities.first_hour < snapshots.as_of_hour
    {{ of_processed_users('identities.identity_key') }}
    inner join {{ ref('stg_identity_map') }} as identity_map
        on {{ owner_as_of('identities.identity_key', 'snapshots.as_of_hour') }}
        and identity_map.user_key % 1000000 < snapshots.sample_per_million
    group by snapshots.prediction, snapshots.as_of_hour, identity_map.user_key
),

verdicts as (
    select prediction, as_of_hour, user_key, 0 as n_passed, n_failed from everybody
    union all
    select
        prediction,
        as_of_hour,
        user_key,
        case when is_passed and n_hold_for_nobody = 0 then 1 else 0 end as n_passed,
        case when is_passed then 0 else 1 end as n_failed
    from judged_clauses
),

needed as (
    select
        prediction,
        count(distinct case when n_hold_for_nobody = 0 then clause_id end) as n_needed
    from clauses
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
