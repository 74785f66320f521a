{# Users to score now: everybody in a prediction's starting cohort at as_of. Grain: one row per
   (prediction, user_key). has_features: false where an hourly run (scope active) left a user out. #}
with

now_snapshots as (
    select prediction, as_of_hour from {{ ref('cohort_snapshots') }} where purpose = 'scoring'
),

final as (
    select
        members.prediction,
        {{ hour_start('members.as_of_hour') }} as as_of,
        users.user_id,
        members.as_of_hour,
        members.user_key,
        wanted.user_key is not null as has_features
    from {{ ref('cohort_members') }} as members
    inner join now_snapshots
        on members.prediction = now_snapshots.prediction
        and members.as_of_hour = now_snapshots.as_of_hour
    inner join {{ ref('stg_identities') }} as users on members.user_key = users.identity_key
    left join {{ ref('features_rows') }} as wanted
        on members.as_of_hour = wanted.as_of_hour and members.user_key = wanted.user_key
    order by members.prediction, members.user_key
)

select * from final
