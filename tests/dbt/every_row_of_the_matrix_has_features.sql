{# Users that are learned from or scored were computed features for; only an hourly run (scope
   active) may leave users of the cohort without, and has_features says so. #}
{{ config(meta={'dagster': {'ref': {'name': 'scoring_rows'}}}) }}
with

wanted as (
    select 'training_rows' as place, as_of_hour, user_key from {{ ref('training_rows') }}
    union all
    select 'scoring_rows' as place, as_of_hour, user_key
    from {{ ref('scoring_rows') }}
    where has_features{{ ' or true' if var('scope') == 'everyone' }}
)

select wanted.place, wanted.as_of_hour, wanted.user_key
from wanted
left join {{ ref('features_rows') }} as features_rows
    on wanted.as_of_hour = features_rows.as_of_hour and wanted.user_key = features_rows.user_key
where features_rows.user_key is null
