{# What an incremental load must know of the new rows before it reads them, as SQL conditions with
   constants: only by those does the engine skip files and hours it need not read. #}

{# True for raw_events of batches that stg_checked_events has not loaded yet. #}
{% macro in_new_files(loaded) %}
    {%- set new = run_query(
        'select batch_id, source_file from ' ~ ref('stg_batches')
        ~ ' where batch_id > (select coalesce(max(decided_in), 0) from ' ~ loaded ~ ')'
    ).columns if execute else none -%}
    {%- if not new or not new[0].values() -%}{{ return('false') }}{%- endif -%}
    {%- set files = [] -%}
    {%- for file in new[1].values() -%}{%- do files.append(sql_string(file)) -%}{%- endfor -%}
    {{ return(
        'raw_events.source_file in (' ~ files | join(', ') ~ ')'
        ~ ' and batches.batch_id >= ' ~ (new[0].values() | min)
    ) }}
{% endmacro %}

{# The hour before which an event comes too late: late_days before the last hour loaded. #}
{% macro closed_hour(loaded) %}
    {%- set hours = run_query(last_hour('(select event_hour from ' ~ loaded ~ " where fate = 'accepted')"))
        if execute else none -%}
    {%- set last = hours.rows[0][0] if hours and hours.rows and hours.rows[0][0] is not none else 0 -%}
    {{ return(last | int - 24 * var('late_days')) }}
{% endmacro %}
