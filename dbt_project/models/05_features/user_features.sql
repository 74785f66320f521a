{# The features for readers: contract columns, user ids and timestamps in place of keys; join
   `features` by feature_id for names. Grain: one row per (as_of, user_id, feature_id), non-zeros. #}

with

final as (
    select
        {{ hour_start('features_values.as_of_hour') }} as as_of,
        users.user_id,
        features_values.feature_id,
        features_values.value
    from {{ ref('features_values') }} as features_values
    inner join {{ ref('stg_identities') }} as users on features_values.user_key = users.identity_key
)

select * from final
