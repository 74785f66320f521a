{# What each wanted user did, by token and week before as_of. Grain: one row per (as_of_hour,
   user_key, token_id, week); week k covers [as_of - 168 (k+1), as_of - 168 k) hours, the last one
   all that is older. Where the hourly rollup meets as_of (docs/decisions/0004). #}
with

tokens as (
    select distinct catalogue.token_id, tokens.kind = 'sum' as is_sum
    from {{ ref('taxonomy_features') }} as catalogue
    inner join {{ ref('hourly_tokens') }} as tokens on catalogue.token_id = tokens.token_id
),

{# Sums are exact decimals and cost as much as all the rest: only tokens that have one pay. -#}
{%- for name, is_sum, value_sum in [
    ('counts', 'not tokens.is_sum', 'cast(null as decimal(38, 6))'),
    ('sums', 'tokens.is_sum', 'sum(hourly.value_sum)'),
] -%}
{{ name }} as (
    select
        owned.as_of_hour,
        owned.user_key,
        hourly.token_id,
        least(
            {{ floor_divide('owned.as_of_hour - 1 - hourly.event_hour', 168) }},
            {{ var('feature_weeks') }}
        ) as week,
        sum(hourly.n_events) as n_events,
        {{ value_sum }} as value_sum,
        min(hourly.event_hour) as first_hour,
        max(hourly.event_hour) as last_hour
    from {{ ref('hourly_user_events') }} as hourly
    inner join tokens on hourly.token_id = tokens.token_id and {{ is_sum }}
    inner join {{ owned_identities() }} as owned
        on hourly.identity_key = owned.identity_key and hourly.event_hour < owned.as_of_hour
    group by all
),

{% endfor -%}
listed as (
    select * from counts
    union all
    select * from sums
),

final as (
    select
        as_of_hour,
        user_key,
        token_id,
        week,
        cast(n_events as integer) as n_events,
        value_sum,
        first_hour,
        last_hour
    from listed
)

select * from final
