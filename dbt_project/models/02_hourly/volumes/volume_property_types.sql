{# The type of each event property's values before as_of, from their form and frequency. Grain: one
   row per (event_name, property). identifier: values that occur once, or on one day only (an order,
   a session); numeric identifiers have about the same length. text: long, or several words. Digits
   that name things (a class, a store) are categories, not amounts: code_reason gives the reason. #}
{{ config(tags=['daily']) }}
with

named as (
    select event_name, property, is_value_named, is_amount_named
    from {{ ref('prediction_properties') }}
),

property_values as (
    select
        event_name, property, value, n_events, n_values, n_numbers, n_long, n_codes,
        {{ is_whole('value') }} as is_whole,
        n_days, first_day, last_day,
        length(value) as n_characters,
        length(value) - length(replace(value, ' ', '')) + 1 as n_words,
        {{ is_boolean('value') }} as is_boolean,
        {{ is_date('value') }} as is_date,
        {{ is_version('value') }} as is_version
    from {{ ref('volume_values') }}
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
        sum(n_codes) as n_codes,
        bool_and(is_whole) as is_whole,
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

decided as (
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

named_types as (
    select
        decided.*,
        coalesce(bool_or(named.is_value_named), false) as is_value_named,
        coalesce(bool_or(named.is_amount_named), false) as is_amount_named
    from decided
    left join named
        on decided.property = named.property
        and coalesce(decided.event_name = named.event_name, true)
    group by all
),

-- A property is an identifier on rare event types, too, if it is one on most events that have it.
by_name as (
    select
        named_types.*,
        case
            when not is_numeric or is_amount_named then null
            when is_value_named then 'a definition names one of its values'
            when n_codes >= 0.95 * n_events then 'its digits are in quotes'
            when {{ is_name_of_codes('property') }}
                then 'its name ends like that of an id, a code or a number'
            when
                is_whole and n_characters_apart = 0 and min_characters >= 4
                and n_events >= 5 * n_values
                then 'whole numbers of one length that occur repeatedly'
        end as code_reason,
        sum(case when is_passing then n_events else 0 end) over (partition by property)
        > 0.5 * sum(n_events) over (partition by property) as is_identifier
    from named_types
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
                and (
                    not is_numeric or code_reason is not null
                    or (n_characters_apart <= 1 and min_characters >= 5)
                )
                then 'identifier'
            when is_numeric and code_reason is null then 'number'
            when n_versions > 0.95 * n_listed_events then 'version'
            when n_values > 200 and n_words >= 3 then 'text'
            else 'category'
        end as value_type,
        code_reason,
        cast(n_events as bigint) as n_events,
        cast(n_values as bigint) as n_values,
        first_day,
        last_day
    from by_name
)

select * from final
