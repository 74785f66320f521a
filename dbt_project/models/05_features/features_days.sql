{# Days on which each wanted user did something: anything (the token of any event), or what a
   definition counts. Grain: one row per (as_of_hour, user_key, token_id, day) with an event; day
   d is [as_of - 24 (d + 1), as_of - 24 d) hours. #}
{{ config(materialized='ephemeral') }}
with

hours as (
    select
        hours.as_of_hour,
        hours.user_key,
        hours.token_id,
        {{ floor_divide('hours.as_of_hour - 1 - hours.event_hour', 24) }} as day,
        hours.event_hour,
        hours.n_events,
        hours.value_sum,
        tokens.kind = 'event' as is_event
    from {{ ref('features_hours') }} as hours
    inner join (
        select token_id, kind from {{ ref('hourly_tokens') }} where kind = 'event'
        union all
        select token_id, kind from {{ ref('cohort_measures') }} where kind = 'measure'
    ) as tokens
        on hours.token_id = tokens.token_id
),

any_event as (select token_id from {{ ref('hourly_tokens') }} where kind = 'any'),

named as (
    select distinct token_id
    from {{ ref('taxonomy_features') }}
    where
        kind = 'event_days_ever'
        {%- for kind in rhythm_kinds() %}
        or kind = '{{ kind }}'
        {%- endfor %}
),

final as (
    select
        hours.as_of_hour,
        hours.user_key,
        any_event.token_id,
        hours.day,
        sum(hours.n_events) as n_events,
        null as value_sum,
        min(hours.event_hour) as first_hour,
        max(hours.event_hour) as last_hour
    from hours
    cross join any_event
    where hours.is_event
    group by hours.as_of_hour, hours.user_key, any_event.token_id, hours.day
    union all
    select
        hours.as_of_hour,
        hours.user_key,
        hours.token_id,
        hours.day,
        sum(hours.n_events) as n_events,
        sum(hours.value_sum) as value_sum,
        min(hours.event_hour) as first_hour,
        max(hours.event_hour) as last_hour
    from hours
    inner join named on hours.token_id = named.token_id
    group by hours.as_of_hour, hours.user_key, hours.token_id, hours.day
)

select * from final
