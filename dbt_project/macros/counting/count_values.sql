{# How often each event type and each of its property values occurs, by day. events: name of a CTE with
   event_day, event_name, event_properties. Columns: see volume_event_days. n_codes: digits in quotes. #}
{% macro count_values(events) %}
    select
        event_day,
        event_name,
        cast(null as {{ dbt.type_string() }}) as property,
        cast(null as {{ dbt.type_string() }}) as value,
        cast(count(*) as bigint) as n_events,
        cast(0 as bigint) as n_values,
        cast(0 as bigint) as n_numbers,
        cast(0 as bigint) as n_long,
        cast(0 as bigint) as n_codes
    from {{ events }}
    group by event_day, event_name
    union all
    select
        event_day,
        event_name,
        property,
        case when place <= {{ var('max_values_per_day') }} and not is_long then value end as value,
        cast(sum(n_events) as bigint) as n_events,
        cast(count(*) as bigint) as n_values,
        cast(sum(case when is_number then n_events else 0 end) as bigint) as n_numbers,
        cast(sum(case when is_long then n_events else 0 end) as bigint) as n_long,
        cast(sum(n_codes) as bigint) as n_codes
    from (
        select
            event_day,
            event_name,
            property,
            value,
            sum(n_pairs) as n_events,
            sum(case when is_string and {{ is_whole('value') }} then n_pairs else 0 end) as n_codes,
            length(value) > {{ var('max_value_characters') }} as is_long,
            {{ to_number('value') }} is not null as is_number,
            row_number() over (
                partition by event_day, event_name, property order by sum(n_pairs) desc, value
            ) as place
        from (
            {{ json_counted_pairs(
                '(select * from ' ~ events ~ ' where event_properties is not null) as events',
                'event_properties', ['event_day', 'event_name']
            ) }}
        ) as pairs
        where value is not null
        group by event_day, event_name, property, value
    ) as ranked
    group by 1, 2, 3, 4
{% endmacro %}
