{# What each wanted user did before as_of, by kept token: week by week, in all, and how long ago.
   Grain: one row per (as_of_hour, user_key, token_id); tokens of sums are added up, others are
   counted. Columns as in token_features(). #}
{{ config(materialized='ephemeral') }}
with

kinds as (
    select token_id, kind from {{ ref('hourly_tokens') }}
    union all
    select token_id, kind from {{ ref('cohort_measures') }}
),

tokens as (
    select distinct catalogue.token_id, kinds.kind
    from {{ ref('taxonomy_features') }} as catalogue
    inner join kinds on catalogue.token_id = kinds.token_id
),

hours as (
    select
        hours.*,
        tokens.kind in ('sum', 'measure_sum') as is_sum,
        {{ floor_divide('hours.as_of_hour - 1 - hours.event_hour', 168) }} as week
    from {{ ref('features_hours') }} as hours
    inner join tokens on hours.token_id = tokens.token_id
),

counts as (
    select
        as_of_hour,
        user_key,
        token_id,
        {%- for week in range(var('feature_weeks')) %}
        sum(case when week = {{ week }} then n_events end) as week_{{ week }},
        {%- endfor %}
        sum(n_events) as ever,
        null as mean_ever,
        as_of_hour - max(event_hour) as hours_since_last,
        as_of_hour - min(event_hour) as hours_since_first
    from hours
    where not is_sum
    group by as_of_hour, user_key, token_id
),

-- Exact decimals cost as much as all the rest: only tokens that have a sum pay.
sums as (
    select
        as_of_hour,
        user_key,
        token_id,
        {%- for week in range(var('feature_weeks')) %}
        sum(case when week = {{ week }} then value_sum end) as week_{{ week }},
        {%- endfor %}
        sum(value_sum) as ever,
        cast(sum(value_sum) as double) / sum(n_events) as mean_ever,
        null as hours_since_last,
        null as hours_since_first
    from hours
    where is_sum
    group by as_of_hour, user_key, token_id
),

any_event as (
    select
        weeks.as_of_hour,
        weeks.user_key,
        tokens.token_id,
        {%- for week in range(var('feature_weeks')) %}
        sum(case when weeks.week = {{ week }} then weeks.n_events end) as week_{{ week }},
        {%- endfor %}
        sum(weeks.n_events) as ever,
        null as mean_ever,
        weeks.as_of_hour - max(weeks.last_hour) as hours_since_last,
        weeks.as_of_hour - min(weeks.first_hour) as hours_since_first
    from {{ ref('features_user_weeks') }} as weeks
    inner join tokens on tokens.kind = 'any'
    group by weeks.as_of_hour, weeks.user_key, tokens.token_id
),

final as (
    {%- for name in ['counts', 'sums', 'any_event'] %}
    select
        as_of_hour,
        user_key,
        {%- for column in token_features() %}
        cast({{ column }} as double) as {{ column }},
        {%- endfor %}
        token_id
    from {{ name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
