{# Users to score: all members of a prediction's starting cohort. Grain: one row per (prediction,
   user_key). An hourly run (scope active) processes active users only; other users keep the as_of
   at which they were last processed, without features. #}
{{ config(
    materialized='serving_table',
    processed_by={'user_key': 'identity_key'}, values_of_others={'has_features': 'false'}
) }}
-- depends_on: {{ ref('cohort_scope') }}, {{ ref('cohort_processed_identities') }}
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
        requested.user_key is not null as has_features
    from {{ ref('cohort_members') }} as members
    inner join now_snapshots
        on members.prediction = now_snapshots.prediction
        and members.as_of_hour = now_snapshots.as_of_hour
    inner join {{ ref('stg_identities') }} as users on members.user_key = users.identity_key
    left join {{ ref('features_rows') }} as requested
        on members.as_of_hour = requested.as_of_hour and members.user_key = requested.user_key
    order by members.prediction, members.user_key
)

select * from final
