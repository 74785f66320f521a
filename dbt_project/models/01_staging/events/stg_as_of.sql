{# The as-of hour, which counts as now. Grain: one row; none if there are no events and no as_of is
   set. Default: the start of the last hour with events, which is the end of the last full hour.
   Events of wrong clocks are ignored (last_hour). An as_of that was set is rounded down. #}
{%- set given = given_as_of() -%}
with

seen as (
    {{ last_hour(ref('stg_event_hours'), written_by(), begun_by(ref('stg_ingest_counts'))) }}
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
        first_event_hour,
        last_hour
    from seen
),

final as (
    select
        {{ hour_start('as_of_hour') }} as as_of,
        as_of_hour,
        first_event_hour,
        last_hour
    from chosen
    where as_of_hour is not null
)

select * from final
