{# A table that each run adds to: dbt's incremental, plus strategies for late and duplicate events (config
   incremental_strategy, macro add_rows) and a first load in parts (config filled_by_week). Spark's is in
   macros/spark. Models call is_incremental_run() instead of dbt's is_incremental(). #}
{% materialization incremental_table, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- set backup = none -%}
    {%- if is_incremental_run() -%}
        {%- set new = working_table('new', compiled_code) -%}
        {% call statement('main') -%}
            {{ duckdb__add_rows(target_relation, new) }};
            drop table {{ new }}
        {%- endcall %}
    {%- else -%}
        {%- set parts = parts_by_week(ref(config.get('filled_by_week'))) if config.get('filled_by_week') else [{}] -%}
        {%- set backup = duckdb__fill_in_parts(target_relation, parts) -%}
    {%- endif -%}
    {%- do duckdb__finish(target_relation, backup) -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# True if this run adds to an existing table. #}
{% macro is_incremental_run() %}
    {%- if not execute or should_full_refresh() -%}{{ return(false) }}{%- endif -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ return(existing is not none and existing.is_table) }}
{% endmacro %}

{# The statements that add new rows to a table. new: a table with its columns. Strategies:
   - append.
   - delete+insert: rows with the unique_key of a new row are replaced.
   - replace_decided: a new row for an accepted event whose status changed replaces the old row.
   - recount: all rows of each changed key (config recount_by) are replaced. A new row with counted_in NULL only
     marks a changed key. With config resort_by the changed weeks are sorted again in a daily run, because rows
     of hourly runs are appended in many places. #}
{% macro duckdb__add_rows(table, new) %}
    {%- set strategy = config.require('incremental_strategy') -%}
    {%- set columns = adapter.get_columns_in_relation(table) -%}
    {%- if strategy == 'append' -%}
        {{ insert_from(table, new, columns) }}
    {%- elif strategy == 'delete+insert' -%}
        {%- set key = config.require('unique_key') -%}
        delete from {{ table }} where {{ key }} in (select {{ key }} from {{ new }});
        {{ insert_from(table, new, columns) }}
    {%- elif strategy == 'replace_decided' -%}
        {%- do refuse_late_batches(new) -%}
        delete from {{ table }} as old
        using (select * from {{ new }} where batch_id < decided_in) as again
        where {{ is_decided_again() }};
        {{ insert_from(table, new, columns) }}
    {%- elif strategy == 'recount' -%}
        {%- set keys = config.require('recount_by') -%}
        delete from {{ table }} as old
        using (select distinct {{ keys | join(', ') }} from {{ new }} where counted_in is null) as changed
        where {% for key in keys %}old.{{ key }} = changed.{{ key }}{{ ' and ' if not loop.last }}{% endfor %};
        {{ insert_from(table, new, columns, 'counted_in is not null') }}
        {%- if config.get('resort_by') and var('scope') == 'everyone' -%};
        {{ duckdb__sort_changed_weeks(table, new, columns) }}
        {%- endif -%}
    {%- else -%}
        {{ exceptions.raise_compiler_error(model.name ~ ': no incremental strategy ' ~ strategy) }}
    {%- endif -%}
{% endmacro %}

{# True for a row `old` whose status a new row `again` changes (stg_checked_events). #}
{% macro is_decided_again() %}
        old.status = 'accepted'
        and old.batch_id = again.batch_id
        and old.event_hour = again.event_hour
        and old.event_time = again.event_time
        and old.event_name = again.event_name
        and old.identity_key = again.identity_key
        {%- for column in ['event_id', 'user_id', 'device_id', 'previous_id', 'event_properties'] %}
        and old.{{ column }} is not distinct from again.{{ column }}
        {%- endfor %}
{%- endmacro %}

{% macro duckdb__sort_changed_weeks(table, new, columns) %}
    {%- set first_hour = '(select min(event_hour) // 168 * 168 from ' ~ new ~ ' where counted_in is null)' -%}
    create or replace temporary table resorted as
        select * from {{ table }} where event_hour >= {{ first_hour }};
    delete from {{ table }} where event_hour >= {{ first_hour }};
    {{ insert_from(table, 'resorted', columns) }} order by {{ config.require('resort_by') | join(', ') }};
    drop table resorted
{%- endmacro %}

{% macro insert_from(table, new, columns, condition='true') %}
    {%- set names = columns | map(attribute='quoted') | join(', ') -%}
    insert into {{ table }} ({{ names }}) select {{ names }} from {{ new }} where {{ condition }}
{%- endmacro %}

{# Delete the rows that match a condition: for a post_hook. #}
{% macro delete_rows(table, condition) %}
    {{ return(adapter.dispatch('delete_rows', 'foretell')(table, condition)) }}
{% endmacro %}
{% macro duckdb__delete_rows(table, condition) %}delete from {{ table }} where {{ condition }}{% endmacro %}
{% macro default__delete_rows(table, condition) %}{{ exceptions.raise_compiler_error("delete_rows: add " ~ target.type) }}{% endmacro %}
