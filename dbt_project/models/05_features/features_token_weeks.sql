{# What each wanted user did, by kept token and week before as_of. Grain: one row per (as_of_hour,
   user_key, token_id, week); week k covers [as_of - 168 (k+1), as_of - 168 k) hours, the last one
   all that is older. #}
{{ config(materialized='ephemeral') }}
with

tokens as (
    select distinct catalogue.token_id, tokens.kind
    from {{ ref('taxonomy_features') }} as catalogue
    inner join {{ ref('hourly_tokens') }} as tokens on catalogue.token_id = tokens.token_id
),

{# Sums are exact decimals and cost as much as all the rest: only tokens that have one pay. -#}
{%- for name, is_chosen, value_sum in [
    ('counts', "tokens.kind <> 'sum'", 'cast(null as decimal(38, 6))'),
    ('sums', "tokens.kind = 'sum'", 'sum(hours.value_sum)'),
] -%}
{{ name }} as (
    select
        hours.as_of_hour,
        hours.user_key,
        hours.token_id,
        least(
            {{ floor_divide('hours.as_of_hour - 1 - hours.event_hour', 168) }},
            {{ var('feature_weeks') }}
        ) as week,
        sum(hours.n_events) as n_events,
        {{ value_sum }} as value_sum,
        min(hours.event_hour) as first_hour,
        max(hours.event_hour) as last_hour
    from {{ ref('features_hours') }} as hours
    inner join tokens on hours.token_id = tokens.token_id and {{ is_chosen }}
    group by all
),

{% endfor -%}
any_event as (
    select
        weeks.as_of_hour,
        weeks.user_key,
        tokens.token_id,
        least(weeks.week, {{ var('feature_weeks') }}) as week,
        sum(weeks.n_events) as n_events,
        cast(null as decimal(38, 6)) as value_sum,
        min(weeks.first_hour) as first_hour,
        max(weeks.last_hour) as last_hour
    from {{ ref('features_user_weeks') }} as weeks
    inner join tokens on tokens.kind = 'any'
    group by all
),

listed as (
    select * from counts
    union all
    select * from sums
    union all
    select * from any_event
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
