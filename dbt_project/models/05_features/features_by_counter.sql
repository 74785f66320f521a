{# Counts of each requested user before as_of by kept counter: per week, in total, and the hours
   since the first and last event. Grain: one row per (as_of_hour, user_key, counter_id); counters
   of sums are added up, others are counted. Columns as in counter_features(). #}
{{ config(materialized='ephemeral') }}
with

kinds as (
    select counter_id, kind from {{ ref('hourly_counters') }}
    union all
    select counter_id, kind from {{ ref('prediction_measures') }}
),

counters as (
    select distinct catalogue.counter_id, kinds.kind
    from {{ ref('taxonomy_features') }} as catalogue
    inner join kinds on catalogue.counter_id = kinds.counter_id
),

hours as (
    select
        hours.*,
        counters.kind in ('sum', 'measure_sum') as is_sum,
        {{ floor_divide('hours.as_of_hour - 1 - hours.event_hour', 168) }} as week
    from {{ ref('features_hours') }} as hours
    inner join counters on hours.counter_id = counters.counter_id
),

counts as (
    select
        as_of_hour,
        user_key,
        counter_id,
        {%- for week in range(var('feature_weeks')) %}
        sum(case when week = {{ week }} then n_events end) as week_{{ week }},
        {%- endfor %}
        sum(n_events) as ever,
        null as mean_ever,
        as_of_hour - max(event_hour) as hours_since_last,
        as_of_hour - min(event_hour) as hours_since_first
    from hours
    where not is_sum
    group by as_of_hour, user_key, counter_id
),

-- Exact decimals cost as much as all the rest, so only counters of sums use them.
sums as (
    select
        as_of_hour,
        user_key,
        counter_id,
        {%- for week in range(var('feature_weeks')) %}
        sum(case when week = {{ week }} then value_sum end) as week_{{ week }},
        {%- endfor %}
        sum(value_sum) as ever,
        cast(sum(value_sum) as double) / sum(n_events) as mean_ever,
        null as hours_since_last,
        null as hours_since_first
    from hours
    where is_sum
    group by as_of_hour, user_key, counter_id
),

any_event as (
    select
        weeks.as_of_hour,
        weeks.user_key,
        counters.counter_id,
        {%- for week in range(var('feature_weeks')) %}
        sum(case when weeks.week = {{ week }} then weeks.n_events end) as week_{{ week }},
        {%- endfor %}
        sum(weeks.n_events) as ever,
        null as mean_ever,
        weeks.as_of_hour - max(weeks.last_hour) as hours_since_last,
        weeks.as_of_hour - min(weeks.first_hour) as hours_since_first
    from {{ ref('features_user_weeks') }} as weeks
    inner join counters on counters.kind = 'any'
    group by weeks.as_of_hour, weeks.user_key, counters.counter_id
),

final as (
    {%- for name in ['counts', 'sums', 'any_event'] %}
    select
        as_of_hour,
        user_key,
        {%- for column in counter_features() %}
        cast({{ column }} as double) as {{ column }},
        {%- endfor %}
        counter_id
    from {{ name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
