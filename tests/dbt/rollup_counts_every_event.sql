{# Every event is counted once as its type; in an hourly run, those of the hours that it counted. #}
{{ config(meta={'dagster': {'ref': {'name': 'hourly_user_events'}}}) }}
with

{% if var('scope') == 'active' -%}
tested as (
    select min(event_hour) as first_hour, max(event_hour) as last_hour
    from {{ ref('hourly_user_events') }}
    where counted_in = (select max(counted_in) from {{ ref('hourly_user_events') }})
),
{%- else -%}
tested as (select -2147483648 as first_hour, 2147483647 as last_hour),
{%- endif %}

events as (
    select count(*) as n_events
    from {{ ref('stg_events') }} as events
    inner join tested on events.event_hour between tested.first_hour and tested.last_hour
),

rollup as (
    select coalesce(sum(hourly.n_events), 0) as n_events
    from {{ ref('hourly_user_events') }} as hourly
    inner join {{ ref('hourly_counters') }} as counters
        on hourly.counter_id = counters.counter_id and counters.kind = 'event'
    inner join tested on hourly.event_hour between tested.first_hour and tested.last_hour
)

select rollup.n_events as n_in_rollup, events.n_events
from rollup
cross join events
where rollup.n_events <> events.n_events
