{# Labels: whether the outcome happened in [as_of, as_of + horizon). Grain: one row per (prediction,
   as_of_hour, user_key) of the training snapshots; only windows that have ended
   (cohort_snapshots). #}
with

members as (
    select members.prediction, members.as_of_hour, members.user_key
    from {{ ref('cohort_members') }} as members
    inner join {{ ref('cohort_snapshots') }} as snapshots
        on members.prediction = snapshots.prediction and members.as_of_hour = snapshots.as_of_hour
    where snapshots.purpose = 'training'
),

counts as (
    select measure_id, from_hour, to_hour, owner_as_of_hour, user_key, n_events, amount
    from {{ ref('cohort_window_counts') }}
),

final as (
    {{ count_outcomes('members', 'counts') }}
)

select * from final
