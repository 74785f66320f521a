{# The hour that counts as now. Grain: one row; none if there are no events and no as_of is set.
   Default: the start of the last hour seen, which is the end of the last full one. A few events
   (under 0.1 %) after four weeks of silence are wrong clocks, not the present: they do not move it.
   A given hour is rounded down. #}
{%- set given = var('as_of') -%}
with

hours as (
    select event_hour, count(*) as n_events
    from {{ ref('stg_events') }}
    group by event_hour
),

gaps as (
    select
        event_hour,
        event_hour - lag(event_hour) over (order by event_hour) as silent_hours,
        sum(n_events) over (order by event_hour desc) as n_from_here,
        sum(n_events) over () as n_total
    from hours
),

wrong_clocks as (
    select min(event_hour) as from_hour
    from gaps
    where silent_hours > 24 * 28 and n_from_here < 0.001 * n_total
),

seen as (
    select
        max(hours.event_hour) as last_hour,
        min(hours.event_hour) as first_event_hour
    from hours
    cross join wrong_clocks
    where hours.event_hour < wrong_clocks.from_hour or wrong_clocks.from_hour is null
),

chosen as (
    select
        {% if given -%}
        case
            when {{ to_utc(sql_string(given)) }} is null then cast({{ refuse_in_sql(sql_string(
                'FORETELL_AS_OF=' ~ given ~ ' is not a time; write e.g. 2026-05-25T00:00 (UTC)'
            )) }} as integer)
            else {{ hour_index(to_utc(sql_string(given))) }}
        end as as_of_hour,
        {%- else -%}
        last_hour as as_of_hour,
        {%- endif %}
        first_event_hour
    from seen
),

final as (
    select
        {{ hour_start('as_of_hour') }} as as_of,
        as_of_hour,
        first_event_hour
    from chosen
    where as_of_hour is not null
)

select * from final
