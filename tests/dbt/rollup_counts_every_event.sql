{# Every event before as_of is counted once as any event and once as its type. #}
{{ config(meta={'dagster': {'ref': {'name': 'hourly_user_events'}}}) }}
with

events as (select count(*) as n_events from {{ past_events() }} as past),

rollup as (
    select
        kinds.kind,
        coalesce(sum(hourly.n_events), 0) as n_events
    from (
        select 'any' as kind
        union all
        select 'event' as kind
    ) as kinds
    left join {{ ref('hourly_tokens') }} as tokens on kinds.kind = tokens.kind
    left join {{ ref('hourly_user_events') }} as hourly on tokens.token_id = hourly.token_id
    group by kinds.kind
)

select rollup.kind, rollup.n_events as n_in_rollup, events.n_events
from rollup
cross join events
where rollup.n_events <> events.n_events
