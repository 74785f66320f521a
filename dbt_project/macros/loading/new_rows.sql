{# What an incremental load must know of the new rows before it reads them, as SQL conditions with
   constants: only by those does the engine skip files and hours it need not read. #}

{# True for raw_events of batches that stg_checked_events has not loaded yet. #}
{% macro in_new_files(loaded) %}
    {%- set new = run_query(
        'select batch_id, source_file, loaded_after from ' ~ ref('stg_batches')
        ~ ' where batch_id > (select coalesce(max(decided_in), 0) from ' ~ loaded ~ ')'
        ~ ' order by batch_id'
    ).rows if execute else none -%}
    {%- if not new -%}{{ return('false') }}{%- endif -%}
    {%- set files = [] -%}
    {%- for batch in new -%}
        {%- set after = " and raw_events.loaded_at > timestamp '" ~ batch[2] ~ "'" if batch[2] else '' -%}
        {%- do files.append('raw_events.source_file = ' ~ sql_string(batch[1]) ~ after) -%}
    {%- endfor -%}
    {{ return('batches.batch_id >= ' ~ new[0][0] ~ ' and (' ~ files | join(' or ') ~ ')') }}
{% endmacro %}

{# True where a raw row is of a batch. A relation that says when rows came has a batch for each time
   it was read: those that came since the time before; rows that do not say it are of the first. #}
{% macro is_of_batch(raw_events, batches) %}
{{ raw_events }}.source = {{ batches }}.source
            and {{ raw_events }}.source_file = {{ batches }}.source_file
            and coalesce(
                {{ raw_events }}.loaded_at > {{ batches }}.loaded_after, {{ batches }}.loaded_after is null
            )
            and coalesce({{ raw_events }}.loaded_at <= {{ batches }}.modified_at, true)
{%- endmacro %}

{# The hour before which an event comes too late: late_days before the last hour loaded. loaded: the table
   of all rows. stg_event_hours, by name as a ref would make a circle, counted them by hour, unless a
   run stopped in between. #}
{% macro closed_hour(loaded) %}
    {%- if not execute -%}{{ return(0) }}{%- endif -%}
    {%- set counted = table_by_name('stg_event_hours') -%}
    {%- set is_counted = counted and run_query(
        'select (select max(counted_in) from ' ~ counted ~ ') = (select max(decided_in) from ' ~ loaded ~ ')'
    ).rows[0][0] -%}
    {%- set hours = counted if is_counted else
        '(select event_hour, count(*) as n_events from ' ~ loaded
        ~ " where fate = 'accepted' group by event_hour)" -%}
    {%- set last = run_query(last_hour(hours)).rows[0][0] -%}
    {{ return((last or 0) | int - 24 * var('late_days')) }}
{% endmacro %}
