{# The features, sparse: absent means none or never. Grain: one row per (as_of_hour, user_key,
   feature_id), by user. One SQL for training and scoring: as_of is data. Counts and sums per
   rolling week k = [as_of - 7(k+1) d, as_of - 7k d); hours since the first and last event (from the
   start of that event's hour); totals over all history; active days and weeks; the rhythm of days;
   1 for a user property's first or last value, and its last number. #}
{{ config(
    materialized='user_blocks',
    sized_by=['hourly_user_events', 'features_rows', 'stg_identities']
) }}
with

weeks as (
    select as_of_hour, user_key, token_id, week, n_events, value_sum, first_hour, last_hour
    from {{ ref('features_token_weeks') }}
),

catalogue as (
    select
        features.feature_id,
        features.feature_name,
        present.kind,
        present.token_id,
        present.week
    from {{ ref('taxonomy_features') }} as present
    inner join {{ ref('features') }} as features on present.feature_name = features.feature_name
),

weekly as (
    select
        weeks.as_of_hour,
        weeks.user_key,
        catalogue.feature_id,
        cast(
            case when catalogue.kind = 'value_sum' then weeks.value_sum else weeks.n_events end
            as double
        ) as value
    from weeks
    inner join catalogue on weeks.token_id = catalogue.token_id and weeks.week = catalogue.week
),

totals as (
    select
        as_of_hour,
        user_key,
        token_id,
        sum(n_events) as n_events,
        min(first_hour) as first_hour,
        max(last_hour) as last_hour
    from weeks
    where value_sum is null
    group by as_of_hour, user_key, token_id
),

sum_totals as (
    select
        as_of_hour, user_key, token_id,
        sum(value_sum) as value_sum,
        cast(sum(value_sum) as double) / sum(n_events) as value_mean
    from weeks
    where value_sum is not null
    group by as_of_hour, user_key, token_id
),

ever as (
    select
        totals.as_of_hour,
        totals.user_key,
        catalogue.feature_id,
        cast(case catalogue.kind
            when 'hours_since_first' then totals.as_of_hour - totals.first_hour
            when 'hours_since_last' then totals.as_of_hour - totals.last_hour
            else totals.n_events
        end as double) as value
    from totals
    inner join catalogue
        on totals.token_id = catalogue.token_id
        and catalogue.kind in ('hours_since_first', 'hours_since_last', 'event_count_ever')
),

sums_ever as (
    select
        sum_totals.as_of_hour,
        sum_totals.user_key,
        catalogue.feature_id,
        cast(
            case
                when catalogue.kind = 'value_mean_ever' then sum_totals.value_mean
                else sum_totals.value_sum
            end as double
        ) as value
    from sum_totals
    inner join catalogue
        on sum_totals.token_id = catalogue.token_id
        and catalogue.kind in ('value_sum_ever', 'value_mean_ever')
),

activity as (
    select
        activity.as_of_hour,
        activity.user_key,
        catalogue.feature_id,
        cast(case catalogue.kind
            when 'active_days' then activity.active_days
            when 'active_weeks' then activity.active_weeks
            when 'active_days_ever' then activity.active_days_ever
            else activity.active_weeks_ever
        end as double) as value
    from {{ ref('features_activity') }} as activity
    inner join catalogue
        on catalogue.kind in (
            'active_days', 'active_weeks', 'active_days_ever', 'active_weeks_ever'
        )
),

rhythm as (
    select
        rhythm.as_of_hour,
        rhythm.user_key,
        catalogue.feature_id,
        cast(case catalogue.kind
            when 'event_days_ever' then rhythm.n_days
            {%- for kind in rhythm_kinds() %}
            when '{{ kind }}' then rhythm.{{ kind }}
            {%- endfor %}
        end as double) as value
    from {{ ref('features_rhythm') }} as rhythm
    inner join catalogue
        on rhythm.token_id = catalogue.token_id
        and (
            catalogue.kind = 'event_days_ever'
            {%- for kind in rhythm_kinds() %}
            or catalogue.kind = '{{ kind }}'
            {%- endfor %}
        )
),

user_properties as (
    select stated.as_of_hour, stated.user_key, catalogue.feature_id, stated.value
    from {{ ref('features_user_properties') }} as stated
    inner join catalogue on stated.feature_name = catalogue.feature_name
),

listed as (
    select as_of_hour, user_key, feature_id, value from weekly where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from ever where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from sums_ever where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from activity where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from rhythm where value <> 0
    union all
    select as_of_hour, user_key, feature_id, value from user_properties where value <> 0
),

final as (
    select as_of_hour, user_key, feature_id, cast(value as float) as value
    from listed
    order by user_key, as_of_hour
)

select * from final
