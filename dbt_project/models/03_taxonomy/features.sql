{# The feature catalogue: every feature ever computed, with the id by which models refer to it.
   Grain: one row per feature_id. Append-only: ids are never reused, not even by --full-refresh, so
   yesterday's champion still finds its inputs today. #}
{{ config(materialized='incremental_table', incremental_strategy='append', full_refresh=false) }}

with

present as (
    select feature_name, kind, event_name, property, value, week from {{ ref('taxonomy_features') }}
),

known as (
    {%- if is_incremental_run() %}
    select feature_id, feature_name from {{ this }}
    {%- else %}
    select 0 as feature_id, '' as feature_name where false
    {%- endif %}
),

last_id as (select coalesce(max(feature_id), 0) as feature_id from known),

added as (
    select present.*
    from present
    left join known on present.feature_name = known.feature_name
    where known.feature_name is null
),

final as (
    select
        cast(
            last_id.feature_id + row_number() over (order by added.feature_name) as integer
        ) as feature_id,
        added.feature_name,
        added.kind,
        added.event_name,
        added.property,
        added.value,
        added.week
    from added
    cross join last_id
)

select * from final
