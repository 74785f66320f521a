{# How often each event type and each of its property values occurs, by day. events: name of a CTE with
   event_day, event_name, event_properties. Columns: see stg_event_days. #}
{% macro count_values(events) %}
    select
        event_day,
        event_name,
        cast(null as {{ dbt.type_string() }}) as property,
        cast(null as {{ dbt.type_string() }}) as value,
        cast(count(*) as bigint) as n_events,
        cast(0 as bigint) as n_values,
        cast(0 as bigint) as n_numbers,
        cast(0 as bigint) as n_long
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
        cast(sum(case when is_long then n_events else 0 end) as bigint) as n_long
    from (
        select
            event_day,
            event_name,
            property,
            value,
            count(*) as n_events,
            length(value) > {{ var('max_value_characters') }} as is_long,
            {{ to_number('value') }} is not null as is_number,
            row_number() over (
                partition by event_day, event_name, property order by count(*) desc, value
            ) as place
        from (
            {{ json_pairs(
                '(select * from ' ~ events ~ ' where event_properties is not null) as events',
                'event_properties', ['event_day', 'event_name']
            ) }}
        ) as pairs
        where value is not null
        group by event_day, event_name, property, value
    ) as ranked
    group by 1, 2, 3, 4
{% endmacro %}
