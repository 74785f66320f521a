{# The last hour of some events, and the first. A few (under 0.1 %) after four weeks of silence are
   wrong clocks, not the present: they do not count. hours: a FROM item with event_hour and n_events.
   One row. #}
{% macro last_hour(hours) %}
    select
        max(case when not is_wrong_clock then event_hour end) as last_hour,
        min(case when not is_wrong_clock then event_hour end) as first_event_hour
    from (
        select
            event_hour,
            max(
                case when silent_hours > 24 * 28 and n_from_here < 0.001 * n_total then 1 else 0 end
            ) over (order by event_hour rows between unbounded preceding and current row) = 1
                as is_wrong_clock
        from (
            select
                event_hour,
                event_hour - lag(event_hour) over (order by event_hour) as silent_hours,
                sum(n_events) over (order by event_hour desc) as n_from_here,
                sum(n_events) over () as n_total
            from {{ hours }} as hours
        ) as gaps
    ) as judged
{% endmacro %}
