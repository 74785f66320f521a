{# Labelled rows to train on. Grain: one row per (prediction, as_of_hour, user_key); features are in
   features_values under the same (as_of_hour, user_key). #}
with

final as (
    select
        labels.prediction,
        {{ hour_start('labels.as_of_hour') }} as as_of,
        users.user_id,
        labels.label,
        labels.value,
        labels.as_of_hour,
        labels.user_key,
        users.user_bucket
    from {{ ref('labels_outcomes') }} as labels
    inner join {{ ref('stg_identities') }} as users on labels.user_key = users.identity_key
    order by labels.prediction, labels.as_of_hour, labels.user_key
)

select * from final
