{# The hourly rollup before as_of, as a FROM item; past_events does the same for events. Every model that reads
   the rollup uses this macro or limits event_hour by an as_of of its own. #}
{% macro past_hours() %}
(
    select hourly.*
    from {{ ref('hourly_user_events') }} as hourly
    inner join {{ ref('stg_as_of') }} as now on hourly.event_hour < now.as_of_hour
)
{%- endmacro %}
