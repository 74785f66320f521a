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

{# The hour by which all that is loaded had been written or, in a relation, loaded: an hour is added, as clocks
   of machines differ. Where files do not say it, the machine's own clock does. As SQL. #}
{% macro written_by() %}
(
            select least(
                coalesce({{ hour_index('max(batches.modified_at)') }}, {{ machine_hour() }}), {{ machine_hour() }}
            ) + 1
            from {{ ref('stg_batches') }} as batches
        )
{%- endmacro %}

{# The newest hour with which a file of at least 3 events begins, as SQL. counts: the table stg_ingest_counts. #}
{% macro begun_by(counts) %}
    {%- if not counts -%}{{ return('cast(null as integer)') }}{%- endif -%}
    {{ return(
        '(select max(first_hour) from ' ~ counts ~ " as counts where status = 'accepted' and n_rows >= 3)"
    ) }}
{% endmacro %}

{# The hour of the machine on which dbt runs, in hours since 1970-01-01 00:00 UTC: nothing that was loaded can
   have happened later. No model asks for more of a clock than that. #}
{% macro machine_hour() %}{{ return((run_started_at.timestamp() // 3600) | int) }}{% endmacro %}

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
        '(select event_hour, count(*) as n_events, ' ~ count_clocks('loaded') ~ ' from ' ~ loaded
        ~ " as loaded where status = 'accepted' group by event_hour)" -%}
    {%- set last = run_query(last_hour(hours, written_by(), begun_by(table_by_name('stg_ingest_counts')))).rows[0][0] -%}
    {{ return((last or 0) | int - 24 * var('late_days')) }}
{% endmacro %}

{# Stop before rows are added of which a whole batch comes too late: at least 20 events, and 95 % of those that
   can be used. Either they are history, which a load of all takes in, or the clock that they are
   measured by is wrong. new: the checked rows to be added. #}
{% macro refuse_late_batches(new) %}
    {%- if not execute or var('accept_late') -%}{{ return('') }}{%- endif -%}
    {%- for row in run_query(
        'select min(batches.source_file), count(*), min(late.event_time), max(late.event_time), '
        ~ hour_start('min(now.last_hour)') ~ ' from ' ~ new ~ ' as late'
        ~ ' inner join ' ~ ref('stg_batches') ~ ' as batches on late.batch_id = batches.batch_id'
        ~ ' cross join (select ' ~ closed_hour(this) ~ ' + 24 * ' ~ var('late_days') ~ ' as last_hour) as now'
        ~ ' inner join (select batch_id from ' ~ new ~ " where status <> 'rejected' group by batch_id"
        ~ " having sum(case when status = 'late' then 1 else 0 end) >= 0.95 * count(*)) as whole"
        ~ ' on late.batch_id = whole.batch_id'
        ~ " where late.status = 'late' group by late.batch_id having count(*) >= 20 order by 1"
    ).rows -%}
        {{ refuse(
            row[0] ~ ' comes too late as a whole: its ' ~ '{:,}'.format(row[1] | int) ~ ' events are of '
            ~ (row[2] | string)[:16] ~ ' to ' ~ (row[3] | string)[:16] ~ ', more than ' ~ var('late_days')
            ~ ' days before the newest that is loaded, ' ~ (row[4] | string)[:16]
            ~ '. Take them in: `foretell run --full-refresh`; or leave them out: `foretell run --accept-late`'
        ) }}
    {%- endfor -%}
{% endmacro %}
