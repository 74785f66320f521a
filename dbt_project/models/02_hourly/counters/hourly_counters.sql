{# What the hourly rollup counts. Grain: one row per counter. Kind any: every event, the sum of the
   event types; event: one event type; value: an event type with one property value (the most
   frequent ones); version: with a version up to its minor number; other: with any other value of
   that property; sum: a numeric property of an event type. An id keeps its meaning as long as
   events are added; a counter that is neither chosen nor an input of a champion is not counted.
   Values and sums are chosen in a daily run; an hourly run adds event types only. #}
{{ config(
    materialized='incremental_table', incremental_strategy='delete+insert', unique_key='counter_id',
    meta={'stays': 'always'}
) }}
{%- set only_adds = is_incremental_run() and var('scope') == 'active' -%}
{#- Named here because dbt must also see the inputs that an hourly run does not read. -#}
{%- set volumes, checked_events = ref('volume_values'), ref('stg_checked_events') -%}
{%- set values, others = ref('hourly_counter_values'), ref('hourly_counter_others') -%}
{%- set sums, as_of = ref('hourly_counter_sums'), ref('stg_as_of') -%}
with

known as (
    {%- if is_incremental_run() %}
    select counter_id, kind, event_name, property, value, n_events, seen_in from {{ this }}
    {%- else %}
    select
        0 as counter_id, '' as kind, '' as event_name, '' as property, '' as value,
        0 as n_events, 0 as seen_in
    where false
    {%- endif %}
),

event_types as (
    {%- if only_adds %}
    select
        event_name,
        sum(case when event_hour < (select as_of_hour from {{ as_of }}) then 1 else 0 end)
            as n_events
    from {{ checked_events }}
    where
        status = 'accepted'
        and decided_in > (select max(seen_in) from known)
        and event_name not in (select event_name from known where kind = 'event')
    group by event_name
    {%- else %}
    select event_name, n_events from {{ volumes }} where property is null
    {%- endif %}
),

counters as (
    select
        1 as kind_order,
        'event' as kind,
        event_name,
        cast(null as {{ dbt.type_string() }}) as property,
        cast(null as {{ dbt.type_string() }}) as value,
        n_events,
        true as is_chosen
    from event_types
    {%- if not only_adds %}
    union all
    select 2 as kind_order, kind, event_name, property, value, n_events, is_chosen
    from {{ values }}
    union all
    select 3 as kind_order, 'other' as kind, event_name, property, value, n_events, is_chosen
    from {{ others }}
    union all
    select
        4 as kind_order, 'sum' as kind, event_name, property, null as value, n_events, is_chosen
    from {{ sums }}
    union all
    select
        0 as kind_order,
        'any' as kind,
        null as event_name,
        null as property,
        null as value,
        sum(n_events) as n_events,
        true as is_chosen
    from event_types
    having sum(n_events) > 0
    {%- endif %}
),

named as (
    select
        counters.*,
        known.counter_id as known_id,
        row_number() over (
            partition by known.counter_id is null and counters.kind <> 'any'
            order by counters.kind_order, counters.event_name, counters.property, counters.value
        ) as place
    from counters
    left join known
        on counters.kind = known.kind
        and counters.event_name is not distinct from known.event_name
        and counters.property is not distinct from known.property
        and counters.value is not distinct from known.value
),

last_counter as (select coalesce(max(counter_id), 0) as counter_id from known),

newest as (select batch_id from {{ newest_batch() }} as newest),

final as (
    select
        cast(
            case
                when named.kind = 'any' then 0
                else coalesce(named.known_id, last_counter.counter_id + named.place)
            end as integer
        ) as counter_id,
        named.kind,
        named.event_name,
        named.property,
        named.value,
        cast(named.n_events as bigint) as n_events,
        true as is_counted,
        named.is_chosen,
        newest.batch_id as seen_in
    from named
    cross join last_counter
    cross join newest
    {%- if not only_adds %}
    union all
    select
        known.counter_id, known.kind, known.event_name, known.property, known.value,
        cast(known.n_events as bigint) as n_events,
        false as is_counted,
        false as is_chosen,
        known.seen_in
    from known
    left join named on known.counter_id = named.known_id
    where named.known_id is null and known.kind <> 'any'
    {%- endif %}
)

select * from final
