{# The features, sparse: absent means none or never. Grain: one row per (as_of_hour, user_key,
   feature_id), sorted so. One SQL for training and scoring: as_of is data. Counts and sums per week,
   hours since the first and last event (from the start of that event's hour), user properties 1. #}
with

weekly as (
    select as_of_hour, user_key, token_id, week, n_events, value_sum, first_hour, last_hour
    from {{ ref('features_weekly_tokens') }}
),

catalogue as (
    select features.feature_id, present.kind, present.token_id, present.property, present.value, present.week
    from {{ ref('taxonomy_features') }} as present
    inner join {{ ref('features') }} as features on present.feature_name = features.feature_name
),

ever as (
    select
        as_of_hour,
        user_key,
        token_id,
        as_of_hour - min(first_hour) as hours_since_first,
        as_of_hour - max(last_hour) as hours_since_last
    from weekly
    group by as_of_hour, user_key, token_id
),

counted as (
    select
        weekly.as_of_hour,
        weekly.user_key,
        catalogue.feature_id,
        case when catalogue.kind = 'value_sum' then cast(weekly.value_sum as double) else cast(weekly.n_events as double) end as value
    from weekly
    inner join catalogue
        on weekly.token_id = catalogue.token_id and weekly.week = catalogue.week
),

since as (
    select
        ever.as_of_hour,
        ever.user_key,
        catalogue.feature_id,
        cast(case
            when catalogue.kind = 'hours_since_first' then ever.hours_since_first else ever.hours_since_last
        end as double) as value
    from ever
    inner join catalogue
        on ever.token_id = catalogue.token_id
        and catalogue.kind in ('hours_since_first', 'hours_since_last')
),

activity as (
    select
        activity.as_of_hour,
        activity.user_key,
        catalogue.feature_id,
        cast(case when catalogue.kind = 'active_days' then activity.active_days else activity.active_weeks end as double) as value
    from {{ ref('features_activity') }} as activity
    inner join catalogue on catalogue.kind in ('active_days', 'active_weeks')
),

user_properties as (
    select
        wanted.as_of_hour,
        wanted.user_key,
        catalogue.feature_id,
        cast(1 as double) as value
    from {{ ref('features_rows') }} as wanted
    inner join {{ ref('cohort_user_properties') }} as properties
        on wanted.as_of_hour = properties.as_of_hour and wanted.user_key = properties.user_key
    inner join catalogue
        on properties.property = catalogue.property
        and (
            (catalogue.kind = 'user_property_last' and properties.last_value = catalogue.value)
            or (catalogue.kind = 'user_property_first' and properties.first_value = catalogue.value)
        )
),

listed as (
    select as_of_hour, user_key, feature_id, value from counted where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from since
    union all
    select as_of_hour, user_key, feature_id, value from activity
    union all
    select as_of_hour, user_key, feature_id, value from user_properties
),

final as (
    select as_of_hour, user_key, feature_id, cast(value as float) as value
    from listed
    order by as_of_hour, user_key, feature_id
)

select * from final
