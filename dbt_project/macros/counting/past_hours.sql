{# The hourly rollup before as_of, as a FROM item: what past_events is for events. Whoever reads the rollup
   reads it through here or bounds event_hour by an as_of of its own. #}
{% macro past_hours() %}
(
    select hourly.*
    from {{ ref('hourly_user_events') }} as hourly
    inner join {{ ref('stg_as_of') }} as now on hourly.event_hour < now.as_of_hour
)
{%- endmacro %}
