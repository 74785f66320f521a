{# What kind of values each event property has before as_of, by how they look and come. Grain: one
   row per (event_name, property). identifier: values that come once, or on one day only (an order,
   a session); numbers among them have about the same length. text: long, or several words. #}
{{ config(tags=['daily']) }}
with

property_values as (
    select
        event_name, property, value, n_events, n_values, n_numbers, n_long,
        n_days, first_day, last_day,
        length(value) as n_characters,
        length(value) - length(replace(value, ' ', '')) + 1 as n_words,
        {{ is_boolean('value') }} as is_boolean,
        {{ is_date('value') }} as is_date,
        {{ is_version('value') }} as is_version
    from {{ ref('stg_value_volumes') }}
    where property is not null
),

counted as (
    select
        event_name,
        property,
        sum(n_events) as n_events,
        sum(n_values) as n_values,
        sum(n_numbers) as n_numbers,
        sum(n_long) as n_long,
        min(first_day) as first_day,
        max(last_day) as last_day,
        count(value) as n_listed,
        sum(case when value is not null then n_events else 0 end) as n_listed_events,
        sum(case when value is not null then n_days else 0 end) as n_value_days,
        sum(case when is_boolean then n_events else 0 end) as n_booleans,
        sum(case when is_date then n_events else 0 end) as n_dates,
        sum(case when is_version then n_events else 0 end) as n_versions,
        avg(n_words) as n_words,
        max(n_characters) - min(n_characters) as n_characters_apart,
        min(n_characters) as min_characters
    from property_values
    group by event_name, property
),

judged as (
    select
        counted.*,
        n_numbers >= {{ var('min_numeric_share') }} * n_events as is_numeric,
        n_values > 50
        and (
            n_values > 0.5 * n_events
            or (last_day - first_day >= 13 and n_value_days <= 1.5 * n_listed)
        ) as is_passing
    from counted
),

-- A property is an identifier on rare event types, too, if it is one on most events that have it.
by_name as (
    select
        judged.*,
        sum(case when is_passing then n_events else 0 end) over (partition by property)
        > 0.5 * sum(n_events) over (partition by property) as is_identifier
    from judged
),

final as (
    select
        event_name,
        property,
        case
            when n_booleans = n_events then 'boolean'
            when n_dates > 0.95 * n_listed_events then 'date'
            when n_long > 0.5 * n_events then 'text'
            when
                is_identifier
                and (not is_numeric or (n_characters_apart <= 1 and min_characters >= 5))
                then 'identifier'
            when is_numeric then 'number'
            when n_versions > 0.95 * n_listed_events then 'version'
            when n_values > 200 and n_words >= 3 then 'text'
            else 'category'
        end as value_type,
        cast(n_events as bigint) as n_events,
        cast(n_values as bigint) as n_values,
        first_day,
        last_day
    from by_name
)

select * from final
