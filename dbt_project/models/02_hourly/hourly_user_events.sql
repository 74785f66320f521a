{# Events counted by hour. Grain: one row per (identity_key, event_hour, counter_id). All times,
   also those after as_of: each reader sets the hour up to which it counts. Keyed by the raw
   identity, whose owner may become known later (stg_identity_map). Any event is the sum of the
   event types, so it has no rows of its own. Sorted by week, then identity: a block of users lies
   in a few places, and a new week leaves the other weeks unchanged (docs/decisions/0010). #}
{%- set week = floor_divide('event_hour', 168) -%}
{%- set sorted_by = [week, 'identity_key', 'event_hour', 'counter_id'] -%}
{{ config(
    materialized='incremental_table', incremental_strategy='recount',
    recount_by=['identity_key', 'event_hour'], resort_by=sorted_by, filled_by_week='stg_events',
    post_hook="{{ delete_rows(this, 'counter_id in (select counter_id from '"
        ~ " ~ ref('hourly_counters') ~ ' where not is_counted)') }}"
) }}
with

counters as (
    select counter_id, kind, event_name, property, value
    from {{ ref('hourly_counters') }}
    where is_counted
),

{% if is_incremental_run() -%}
changed as (select * from {{ changed_keys('identity_key, event_hour', this) }} as changed),

-- Counters of properties that are new in this run: their whole history is counted now.
added_counters as (
    select counter_id, event_name
    from counters
    where
        property is not null
        and counter_id not in (select distinct counter_id from {{ this }})
),

events as (
    select events.identity_key, events.event_hour, events.event_name, events.event_properties
    from {{ ref('stg_events') }} as events
    inner join changed
        on events.identity_key = changed.identity_key and events.event_hour = changed.event_hour
),

unchanged_events as (
    select events.identity_key, events.event_hour, events.event_name, events.event_properties
    from {{ ref('stg_events') }} as events
    left join changed
        on events.identity_key = changed.identity_key and events.event_hour = changed.event_hour
    where
        changed.identity_key is null
        and events.event_name in (select event_name from added_counters)
),
{%- else -%}
events as (
    select identity_key, event_hour, event_name, event_properties
    from {{ ref('stg_events') }}
    where {{ in_weeks('event_hour') }} and {{ in_block('identity_key') }}
),
{%- endif %}

by_event as (
    select
        events.identity_key,
        events.event_hour,
        counters.counter_id,
        count(*) as n_events
    from events
    inner join counters on events.event_name = counters.event_name and counters.kind = 'event'
    group by events.identity_key, events.event_hour, counters.counter_id
),

detailed_events as (
    select identity_key, event_hour, event_name, event_properties, false as is_unchanged
    from events
    where
        event_name in (
            select counters.event_name from counters where counters.property is not null
        )
    {%- if is_incremental_run() %}
    union all
    select identity_key, event_hour, event_name, event_properties, true as is_unchanged
    from unchanged_events
    {%- endif %}
),

pairs as (
    {{ json_pairs('detailed_events', 'event_properties', [
        'identity_key', 'event_hour', 'event_name', 'is_unchanged',
    ]) }}
),

-- A value adds to its own counter, to each counter of other values that does not exclude it and, if
-- it is a number, to the sum.
by_property as (
    select
        pairs.identity_key,
        pairs.event_hour,
        counters.counter_id,
        count(case when counters.kind = 'sum' then {{ to_number('pairs.value') }} else 1 end)
            as n_events,
        sum(case when counters.kind = 'sum' then {{ to_number('pairs.value') }} end) as value_sum
    from pairs
    left join counters as named
        on pairs.event_name = named.event_name
        and pairs.property = named.property
        and {{ counted_value('named.kind', 'pairs.value') }} = named.value
        and named.kind in ('value', 'version')
    inner join counters
        on pairs.event_name = counters.event_name
        and pairs.property = counters.property
        and pairs.value is not null
        and (counters.kind in ('sum', 'other') or counters.counter_id = named.counter_id)
    left join {{ ref('hourly_other_values') }} as members
        on counters.counter_id = members.counter_id and named.counter_id = members.value_counter_id
    where
        members.counter_id is null
        and (
            not pairs.is_unchanged
            {%- if is_incremental_run() %}
            or counters.counter_id in (select counter_id from added_counters)
            {%- endif %}
        )
    group by pairs.identity_key, pairs.event_hour, counters.counter_id
),

counted as (
    select identity_key, event_hour, counter_id, n_events, null as value_sum from by_event
    union all
    select identity_key, event_hour, counter_id, n_events, value_sum
    from by_property
    where n_events > 0
),

newest as (select batch_id from {{ newest_batch() }} as newest),

final as (
    select
        counted.identity_key,
        counted.event_hour,
        counted.counter_id,
        cast(counted.n_events as integer) as n_events,
        cast(counted.value_sum as decimal(38, 6)) as value_sum,
        newest.batch_id as counted_in
    from counted
    cross join newest
    {%- if is_incremental_run() %}
    union all
    select
        identity_key, event_hour,
        null as counter_id, null as n_events, null as value_sum, null as counted_in
    from changed
    {%- endif %}
    order by {{ sorted_by | join(', ') }}
)

select * from final
