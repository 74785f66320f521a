{# The features computed at present: those the taxonomy keeps, and those it dropped that a champion
   still uses. Grain: one row per feature_name. counter_id links to the hourly rollup; week counts
   rolling weeks back from as_of, 0 the newest. #}
with

kept as (select * from {{ ref('taxonomy_kept_features') }}),

of_champions as (select * from {{ ref('taxonomy_champion_features') }}),

final as (
    select
        feature_name, kind, counter_id, event_name, property, value, kept_values_hash, is_version,
        week,
        measure, asked_by, true as is_kept
    from kept
    union all
    select
        feature_name, kind, counter_id, event_name, property, value, kept_values_hash, is_version,
        week,
        null as measure, null as asked_by, false as is_kept
    from of_champions
    where feature_name not in (select kept.feature_name from kept)
)

select * from final
