{# Every event is counted once as its type; in an hourly run, those of the hours that it counted. #}
{{ config(meta={'dagster': {'ref': {'name': 'hourly_user_events'}}}) }}
{%- set tested = changed_in_hour(ref('hourly_user_events')) or 'true' %}
with

events as (select count(*) as n_events from {{ ref('stg_events') }} where {{ tested }}),

rollup as (
    select coalesce(sum(hourly.n_events), 0) as n_events
    from {{ ref('hourly_user_events') }} as hourly
    inner join {{ ref('hourly_counters') }} as counters
        on hourly.counter_id = counters.counter_id and counters.kind = 'event'
    where {{ tested }}
)

select rollup.n_events as n_in_rollup, events.n_events
from rollup
cross join events
where rollup.n_events <> events.n_events
