{# Bounds for loading new files. A hook computes them before the model's own SQL runs (set_load_bounds) and
   stores them in variables of the session: with constants the engine skips files and hours that it need not
   read. #}

{# Set the bounds before rows are added to stg_checked_events: the new files, and the hour before which an event
   is late, late_days before the last hour loaded. #}
{% macro set_load_bounds() %}
    {%- if not is_incremental_run() -%}{{ return('') }}{%- endif -%}
    {%- set new = '(select * from ' ~ ref('stg_batches') ~ ' where batch_id > (select coalesce(max(decided_in), 0) from '
        ~ this ~ '))' -%}
    {%- do set_variable('first_new_batch', 'integer', '(select min(batch_id) from ' ~ new ~ ' as new)') -%}
    {%- do set_variable('new_files', 'array<string>', '(select ' ~ collected('source_file') ~ ' from ' ~ new ~ ' as new)') -%}
    {%- do set_variable(
        'loaded_after', 'timestamp',
        "(select min(coalesce(loaded_after, timestamp '1900-01-01')) from " ~ new ~ ' as new where n_bytes is null)'
    ) -%}
    {%- do set_variable('closed_hour', 'integer', '(select coalesce(last_hour, 0) - 24 * ' ~ var('late_days')
        ~ ' from (' ~ last_hour(hours_loaded(), written_by(), begun_by(built_table('stg_ingest_counts'))) ~ ') as last_hour)') -%}
{% endmacro %}

{# True for raw_events of batches that stg_checked_events has not loaded yet. #}
{% macro in_new_files() -%}
batches.batch_id >= {{ variable('first_new_batch') }}
            and {{ is_in_list('raw_events.source_file', variable('new_files')) }}
            and coalesce(raw_events.loaded_at > {{ variable('loaded_after') }}, true)
{%- endmacro %}

{# The hour before which an event is late, as SQL. #}
{% macro closed_hour() %}{{ return(variable('closed_hour')) }}{% endmacro %}

{# The events loaded before, by hour, from stg_event_hours (by name, as a ref would be circular), or counted
   again if a run stopped before that table was built. #}
{% macro hours_loaded() %}
    {%- set counted = built_table('stg_event_hours') -%}
    {%- set is_counted = counted and run_query(
        'select (select max(counted_in) from ' ~ counted ~ ') = (select max(decided_in) from ' ~ this ~ ')'
    ).rows[0][0] -%}
    {{ return(counted if is_counted else
        '(select event_hour, count(*) as n_events, ' ~ count_clocks('loaded') ~ ' from ' ~ this
        ~ " as loaded where status = 'accepted' group by event_hour)"
    ) }}
{% endmacro %}

{# True where a raw row belongs to a batch. A relation with loaded_at has one batch per read, with the rows
   loaded since the previous read; rows without a value of loaded_at belong to the first. #}
{% macro is_of_batch(raw_events, batches) %}
{{ raw_events }}.source = {{ batches }}.source
            and {{ raw_events }}.source_file = {{ batches }}.source_file
            and coalesce(
                {{ raw_events }}.loaded_at > {{ batches }}.loaded_after, {{ batches }}.loaded_after is null
            )
            and coalesce({{ raw_events }}.loaded_at <= {{ batches }}.modified_at, true)
{%- endmacro %}

{# The hour by which all loaded rows had been written or, in a relation, loaded, as SQL. One hour is added
   because clocks of machines differ. Without that time the clock of this machine is used. #}
{% macro written_by() %}
(
            select least(
                coalesce({{ hour_index('max(batches.modified_at)') }}, {{ machine_hour() }}), {{ machine_hour() }}
            ) + 1
            from {{ ref('stg_batches') }} as batches
        )
{%- endmacro %}

{# The newest first hour of the files with at least 3 events, as SQL. counts: the table stg_ingest_counts. #}
{% macro begun_by(counts) %}
    {%- if not counts -%}{{ return('cast(null as integer)') }}{%- endif -%}
    {{ return(
        '(select max(first_hour) from ' ~ counts ~ " as counts where status = 'accepted' and n_rows >= 3)"
    ) }}
{% endmacro %}

{# The hour of the machine on which dbt runs, in hours since 1970-01-01 00:00 UTC: an upper bound for all loaded
   events. This is the only use of a clock in the models. #}
{% macro machine_hour() %}{{ return((run_started_at.timestamp() // 3600) | int) }}{% endmacro %}

{# Stop before adding a batch that is late as a whole: at least 20 late events, and 95 % of its usable rows.
   Either the batch is history, which a full refresh loads, or the clock that it is compared with is wrong. new:
   the checked rows to be added. #}
{% macro refuse_late_batches(new) %}
    {%- if not execute or var('accept_late') -%}{{ return('') }}{%- endif -%}
    {%- for row in run_query(
        'select min(batches.source_file), count(*), min(late.event_time), max(late.event_time), '
        ~ hour_start('min(now.last_hour)') ~ ' from ' ~ new ~ ' as late'
        ~ ' inner join ' ~ ref('stg_batches') ~ ' as batches on late.batch_id = batches.batch_id'
        ~ ' cross join (select ' ~ closed_hour() ~ ' + 24 * ' ~ var('late_days') ~ ' as last_hour) as now'
        ~ ' inner join (select batch_id from ' ~ new ~ " where status <> 'rejected' group by batch_id"
        ~ " having sum(case when status = 'late' then 1 else 0 end) >= 0.95 * count(*)) as whole"
        ~ ' on late.batch_id = whole.batch_id'
        ~ " where late.status = 'late' group by late.batch_id having count(*) >= 20 order by 1"
    ).rows -%}
        {{ refuse(
            row[0] ~ ' comes too late as a whole: its ' ~ '{:,}'.format(row[1] | int) ~ ' events are of '
            ~ (row[2] | string)[:16] ~ ' to ' ~ (row[3] | string)[:16] ~ ', more than ' ~ var('late_days')
            ~ ' days before the newest that is loaded, ' ~ (row[4] | string)[:16]
            ~ '. Load them: `foretell run --full-refresh`; or leave them out: `foretell run --accept-late`'
        ) }}
    {%- endfor -%}
{% endmacro %}
