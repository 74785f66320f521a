{# What the hourly rollup counts. Grain: one row per token. any: every event, the sum of the event
   types; event: one event type; value: an event type with one property value (the most frequent
   ones), version: with a version up to its minor number; other: with any other value of that property;
   sum: a numeric property of an event type. An id keeps its meaning as long as events are added; one
   that is neither chosen nor taken by a champion is not counted. Which values and sums those are is
   decided when everybody is scored, not every hour. #}
{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='token_id'
) }}
{%- set only_adds = is_incremental() and var('scope') == 'active' -%}
{#- Named here, since dbt must see also the inputs that an hour leaves out. -#}
{%- set volumes, checked_events = ref('stg_value_volumes'), ref('stg_checked_events') -%}
{%- set as_of, usage = ref('stg_as_of'), ref('stg_property_usage') -%}
{%- set types, rules = ref('stg_property_types'), ref('stg_taxonomy_rules') -%}
{%- set champion_features = ref('hourly_champion_features') -%}
with

known as (
    {%- if is_incremental() %}
    select token_id, kind, event_name, property, value, n_events, seen_in from {{ this }}
    {%- else %}
    select
        0 as token_id, '' as kind, '' as event_name, '' as property, '' as value,
        0 as n_events, 0 as seen_in
    where false
    {%- endif %}
),

{% if only_adds -%}
tokens as (
    select
        1 as kind_order,
        'event' as kind,
        event_name,
        cast(null as {{ dbt.type_string() }}) as property,
        cast(null as {{ dbt.type_string() }}) as value,
        sum(case when event_hour < (select as_of_hour from {{ as_of }}) then 1 else 0 end)
            as n_events,
        true as is_chosen
    from {{ checked_events }}
    where
        fate = 'accepted'
        and decided_in > (select max(seen_in) from known)
        and event_name not in (select event_name from known where kind = 'event')
    group by event_name
),

{% else -%}
event_volumes as (
    select event_name, n_events
    from {{ volumes }}
    where property is null
),

-- What is pinned comes first, then what people query most, then what happens most.
properties as (
    select
        types.event_name,
        types.property,
        types.value_type,
        {{ kind_of_value('types.value_type') }} as kind,
        types.n_events,
        types.n_values,
        coalesce(queried.n_queries, 0) as n_queries,
        {{ is_ruled('types.event_name', 'types.property', is_ban=false) }} as is_pinned
    from {{ types }} as types
    left join {{ usage }} as queried
        on types.event_name = queried.event_name
        and types.property = queried.property
        and queried.kind = 'event_property'
    where not {{ is_ruled('types.event_name', 'types.property', is_ban=true) }}
),

-- What champions take stays counted, banned things apart: of other values also those not meant.
champion_values as (
    select distinct
        event_name,
        property,
        value,
        case when is_version then 'version' else 'value' end as kind
    from {{ champion_features }}
    where event_name is not null and value is not null
),

champion_sets as (
    select distinct
        event_name,
        property,
        value,
        case when is_version then 'version' else 'value' end as kind,
        other_than
    from {{ champion_features }}
    where event_name is not null and other_than is not null
),

champion_sums as (
    select distinct event_name, property
    from {{ champion_features }}
    where kind in ('value_sum', 'value_sum_ever', 'value_mean_ever')
),

value_volumes as (
    select
        volumes.event_name,
        volumes.property,
        properties.kind,
        {{ counted_value('properties.kind', 'volumes.value') }} as value,
        sum(volumes.n_events) as n_events
    from {{ volumes }} as volumes
    inner join properties
        on volumes.event_name = properties.event_name and volumes.property = properties.property
    where volumes.value is not null
    group by all
),

property_values as (
    select
        value_volumes.*,
        properties.n_queries,
        properties.is_pinned as is_property_pinned,
        {{ is_ruled(
            'value_volumes.event_name', 'value_volumes.property', 'value_volumes.value', is_ban=false
        ) }} as is_pinned,
        value_volumes.n_events >= {{ var('min_value_share') }} * event_volumes.n_events
        and (
            properties.value_type in ('boolean', 'category', 'version')
            or (properties.is_pinned and properties.value_type <> 'number')
            or (
                properties.value_type = 'number'
                and properties.n_values <= {{ var('max_numeric_values') }}
            )
        ) as is_eligible
    from value_volumes
    inner join properties
        on value_volumes.event_name = properties.event_name
        and value_volumes.property = properties.property
    inner join event_volumes on value_volumes.event_name = event_volumes.event_name
    where not {{ is_ruled(
        'value_volumes.event_name', 'value_volumes.property', 'value_volumes.value', is_ban=true
    ) }}
),

values_ranked as (
    select
        property_values.event_name,
        property_values.property,
        property_values.kind,
        property_values.value,
        property_values.n_events,
        property_values.is_eligible,
        property_values.is_pinned,
        champion_values.value is not null as is_of_champion,
        row_number() over (
            order by
                property_values.is_pinned desc,
                property_values.is_eligible desc,
                property_values.is_property_pinned desc,
                property_values.n_queries desc,
                property_values.n_events desc,
                property_values.event_name, property_values.property, property_values.value
        ) as place
    from property_values
    left join champion_values
        on property_values.event_name = champion_values.event_name
        and property_values.property = champion_values.property
        and property_values.kind = champion_values.kind
        and property_values.value = champion_values.value
    where
        property_values.is_eligible
        or property_values.is_pinned
        or champion_values.value is not null
),

counted_values as (
    select
        event_name, property, kind, value, n_events,
        is_pinned or (is_eligible and place <= {{ var('max_value_tokens') }}) as is_chosen
    from values_ranked
    where is_pinned or is_of_champion or (is_eligible and place <= {{ var('max_value_tokens') }})
),

-- Which values are meant depends on those that are not: the number of that set is its value.
chosen_others as (
    select
        chosen.event_name,
        chosen.property,
        cast(
            sum({{ hash_bucket('chosen.kind || chosen.value', 2147483647) }})
            as {{ dbt.type_string() }}
        ) as value,
        properties.n_events - sum(chosen.n_events) as n_events
    from counted_values as chosen
    inner join properties
        on chosen.event_name = properties.event_name and chosen.property = properties.property
    inner join event_volumes on chosen.event_name = event_volumes.event_name
    where chosen.is_chosen
    group by chosen.event_name, chosen.property, properties.n_events, event_volumes.n_events
    having
        properties.n_events - sum(chosen.n_events)
        >= {{ var('min_value_share') }} * event_volumes.n_events
        and properties.n_events > sum(chosen.n_events)
),

-- Only with every value that is not meant in sight can the others be told.
champion_others as (
    select
        sets.event_name,
        sets.property,
        cast(sets.other_than as {{ dbt.type_string() }}) as value,
        properties.n_events - sum(counted.n_events) as n_events
    from champion_sets as sets
    inner join properties
        on sets.event_name = properties.event_name and sets.property = properties.property
    left join counted_values as counted
        on sets.event_name = counted.event_name
        and sets.property = counted.property
        and sets.kind = counted.kind
        and sets.value = counted.value
    group by sets.event_name, sets.property, sets.other_than, properties.n_events
    having count(counted.value) = count(*) and properties.n_events > sum(counted.n_events)
),

others as (
    select
        coalesce(chosen.event_name, champions.event_name) as event_name,
        coalesce(chosen.property, champions.property) as property,
        coalesce(chosen.value, champions.value) as value,
        coalesce(chosen.n_events, champions.n_events) as n_events,
        chosen.value is not null as is_chosen
    from chosen_others as chosen
    full outer join champion_others as champions
        on chosen.event_name = champions.event_name
        and chosen.property = champions.property
        and chosen.value = champions.value
),

sums_ranked as (
    select
        properties.event_name,
        properties.property,
        properties.n_events,
        properties.is_pinned,
        properties.value_type = 'number' as is_number,
        champion_sums.property is not null as is_of_champion,
        row_number() over (
            partition by properties.value_type = 'number'
            order by
                properties.is_pinned desc, properties.n_queries desc, properties.n_events desc,
                properties.event_name, properties.property
        ) as place
    from properties
    left join champion_sums
        on properties.event_name = champion_sums.event_name
        and properties.property = champion_sums.property
),

counted_sums as (
    select
        event_name, property, n_events,
        is_number and (is_pinned or place <= {{ var('max_sum_tokens') }}) as is_chosen
    from sums_ranked
    where is_of_champion or (is_number and (is_pinned or place <= {{ var('max_sum_tokens') }}))
),

tokens as (
    select
        1 as kind_order,
        'event' as kind,
        event_name,
        cast(null as {{ dbt.type_string() }}) as property,
        cast(null as {{ dbt.type_string() }}) as value,
        n_events,
        true as is_chosen
    from event_volumes
    union all
    select 2 as kind_order, kind, event_name, property, value, n_events, is_chosen
    from counted_values
    union all
    select 3 as kind_order, 'other' as kind, event_name, property, value, n_events, is_chosen
    from others
    union all
    select
        4 as kind_order, 'sum' as kind, event_name, property, null as value, n_events, is_chosen
    from counted_sums
    union all
    select
        0 as kind_order,
        'any' as kind,
        null as event_name,
        null as property,
        null as value,
        sum(n_events) as n_events,
        true as is_chosen
    from event_volumes
    having sum(n_events) > 0
),

{% endif -%}
named as (
    select
        tokens.*,
        known.token_id as known_id,
        row_number() over (
            partition by known.token_id is null and tokens.kind <> 'any'
            order by tokens.kind_order, tokens.event_name, tokens.property, tokens.value
        ) as place
    from tokens
    left join known
        on tokens.kind = known.kind
        and tokens.event_name is not distinct from known.event_name
        and tokens.property is not distinct from known.property
        and tokens.value is not distinct from known.value
),

last_token as (select coalesce(max(token_id), 0) as token_id from known),

newest as (select batch_id from {{ newest_batch() }} as newest),

final as (
    select
        cast(
            case
                when named.kind = 'any' then 0
                else coalesce(named.known_id, last_token.token_id + named.place)
            end as integer
        ) as token_id,
        named.kind,
        named.event_name,
        named.property,
        named.value,
        cast(named.n_events as bigint) as n_events,
        true as is_counted,
        named.is_chosen,
        newest.batch_id as seen_in
    from named
    cross join last_token
    cross join newest
    {%- if not only_adds %}
    union all
    select
        known.token_id, known.kind, known.event_name, known.property, known.value,
        cast(known.n_events as bigint) as n_events,
        false as is_counted,
        false as is_chosen,
        known.seen_in
    from known
    left join named on known.token_id = named.known_id
    where named.known_id is null and known.kind <> 'any'
    {%- endif %}
)

select * from final
