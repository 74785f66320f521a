{# Evidence that the hour of some events is right: columns n_users_timed (users with an event that was not
   received before it) and n_prompt of stg_event_hours. Users, not events, because one phone with a wrong clock
   may send hundreds. events: alias of rows with identity_key, event_time, event_hour and received_at. #}
{% macro count_clocks(events) -%}
count(distinct case
            when coalesce({{ hour_index(events ~ '.received_at') }} >= {{ events }}.event_hour, true)
                then {{ events }}.identity_key
        end) as n_users_timed,
        cast(sum(case
            when
                {{ events }}.received_at >= {{ events }}.event_time
                and {{ events }}.received_at < {{ events }}.event_time + interval '1' day
                then 1
            else 0
        end) as bigint) as n_prompt
{%- endmacro %}
