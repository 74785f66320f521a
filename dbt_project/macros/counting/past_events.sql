{# The accepted events before as_of, as a FROM item: the single guard against look-ahead. Everything that feeds
   a feature, a label or the taxonomy reads events through this macro; stg_events itself is read only for as_of
   and to check that the names in a definition occur. #}
{% macro past_events() %}
(
    select events.*
    from {{ ref('stg_events') }} as events
    inner join {{ ref('stg_as_of') }} as now on events.event_hour < now.as_of_hour
)
{%- endmacro %}
