{# How often and how regularly each requested user was active before as_of, in days with an event
   (docs/decisions/0018). Grain: one row per (as_of_hour, user_key, counter_id). Sums are exact
   decimals: a sum of doubles depends on the order of rows. #}
{{ config(materialized='ephemeral') }}
with

days as (
    select as_of_hour, user_key, counter_id, day
    from {{ ref('features_days') }}
),

counted as (
    select
        as_of_hour,
        user_key,
        counter_id,
        count(*) as n_days,
        {%- for half_life in [28, 90] %}
        sum(cast(power(0.5e0, day / {{ half_life }}) as decimal(18, 12)))
            as decayed_days_{{ half_life }},
        {%- endfor %}
        {{ smallest('day', 5) }} as newest_days,
        min(day) as newest_day,
        max(day) as oldest_day
    from days
    group by as_of_hour, user_key, counter_id
),

final as (
    select
        as_of_hour,
        user_key,
        counter_id,
        n_days,
        decayed_days_28,
        decayed_days_90,
        {%- for n in [2, 3, 5] %}
        24 * ({{ list_item('newest_days', n) }} + 1) as hours_since_day_{{ n }},
        {%- endfor %}
        cast(oldest_day - newest_day as double) / nullif(n_days - 1, 0) as mean_gap_days,
        cast((newest_day + 1) * (n_days - 1) as double) / nullif(oldest_day - newest_day, 0)
            as silence_ratio
    from counted
)

select * from final
