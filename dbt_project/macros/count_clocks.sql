{# Of some events of one hour, how many show what hour it was: columns n_timed and n_prompt of stg_event_hours.
   events: alias of rows with event_time, event_hour and received_at. #}
{% macro count_clocks(events) -%}
cast(sum(case
            when {{ events }}.received_at is null then 1
            when {{ hour_index(events ~ '.received_at') }} >= {{ events }}.event_hour then 1
            else 0
        end) as bigint) as n_timed,
        cast(sum(case
            when
                {{ events }}.received_at >= {{ events }}.event_time
                and {{ events }}.received_at < {{ events }}.event_time + interval '1' day
                then 1
            else 0
        end) as bigint) as n_prompt
{%- endmacro %}
