{# The features for readers: contract columns, user ids and timestamps instead of keys; join
   `features` by feature_id for names. Grain: one row per (as_of, user_id, feature_id), non-zeros. A
   view, so that the largest table is stored only once. #}
{{ config(materialized='view') }}
with

final as (
    select
        requested.as_of,
        requested.user_id,
        features_values.feature_id,
        features_values.value
    from {{ in_view(ref('features_values')) }} as features_values
    inner join {{ in_view(ref('features_rows')) }} as requested
        on features_values.as_of_hour = requested.as_of_hour
        and features_values.user_key = requested.user_key
)

select * from final
