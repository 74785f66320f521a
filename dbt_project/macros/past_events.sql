{# The accepted events before as_of, as a FROM item: the single guard against look-ahead. Everything
   after stg_as_of reads events through it and nothing reads stg_events otherwise. #}
{% macro past_events() %}
(
    select events.*
    from {{ ref('stg_events') }} as events
    inner join {{ ref('stg_as_of') }} as now on events.event_hour < now.as_of_hour
)
{%- endmacro %}
