{# How new rows get into a table that was loaded before. Each is an incremental_strategy of dbt by its
   name: get_incremental_<name>_sql. #}

{# Rows are added; one that comes again with another decision replaces the accepted one it was
   (stg_checked_events). #}
{% macro get_incremental_replace_decided_sql(arguments) %}
    {%- do refuse_late_batches(arguments.temp_relation) -%}
    {{ return(adapter.dispatch('replace_decided', 'foretell')(arguments.target_relation, arguments.temp_relation, arguments.dest_columns)) }}
{% endmacro %}

{% macro duckdb__replace_decided(target, new, columns) %}
    delete from {{ target }} as old
    using (select * from {{ new }} where batch_id < decided_in) as again
    where
        old.status = 'accepted'
        and old.batch_id = again.batch_id
        and old.event_hour = again.event_hour
        and old.event_time = again.event_time
        and old.event_name = again.event_name
        and old.identity_key = again.identity_key
        {%- for column in ['event_id', 'user_id', 'device_id', 'previous_id', 'event_properties'] %}
        and old.{{ column }} is not distinct from again.{{ column }}
        {%- endfor %};
    {{ insert_from(target, new, columns) }}
{% endmacro %}

{% macro default__replace_decided(target, new, columns) %}
    {{ exceptions.raise_compiler_error("replace_decided: add " ~ target.type) }}
{% endmacro %}

{# What changed events belong to is counted again: the rows of each changed key (config recount_by) give
   way to the new ones. A new row with counted_in NULL only names a changed key.
   With config resort_by the changed weeks are sorted again when everybody is scored: hours added one
   by one would lie in as many places. #}
{% macro get_incremental_recount_sql(arguments) %}
    {{ return(adapter.dispatch('recount', 'foretell')(
        arguments.target_relation, arguments.temp_relation, arguments.dest_columns,
        config.require('recount_by'), config.get('resort_by')
    )) }}
{% endmacro %}

{% macro duckdb__recount(target, new, columns, keys, sorted_by) %}
    delete from {{ target }} as old
    using (select distinct {{ keys | join(', ') }} from {{ new }} where counted_in is null) as changed
    where {% for key in keys %}old.{{ key }} = changed.{{ key }}{{ ' and ' if not loop.last }}{% endfor %};
    {{ insert_from(target, new, columns, 'counted_in is not null') }};
    {%- if sorted_by and var('scope') == 'everyone' %}
    {%- set first_hour = '(select min(event_hour) // 168 * 168 from ' ~ new ~ ' where counted_in is null)' %}
    create or replace temporary table resorted as
        select * from {{ target }} where event_hour >= {{ first_hour }};
    delete from {{ target }} where event_hour >= {{ first_hour }};
    {{ insert_from(target, 'resorted', columns) }} order by {{ sorted_by | join(', ') }};
    drop table resorted
    {%- endif %}
{% endmacro %}

{% macro default__recount(target, new, columns, keys, sorted_by) %}
    {{ exceptions.raise_compiler_error("recount: add " ~ target.type) }}
{% endmacro %}

{# Rows that are not wanted any more leave a table: for a post_hook. #}
{% macro delete_rows(table, condition) %}
    {{ return(adapter.dispatch('delete_rows', 'foretell')(table, condition)) }}
{% endmacro %}
{% macro duckdb__delete_rows(table, condition) %}delete from {{ table }} where {{ condition }}{% endmacro %}
{% macro default__delete_rows(table, condition) %}{{ exceptions.raise_compiler_error("delete_rows: add " ~ target.type) }}{% endmacro %}

{% macro insert_from(target, new, columns, condition='true') %}
    {%- set names = columns | map(attribute='quoted') | join(', ') -%}
    insert into {{ target }} ({{ names }}) select {{ names }} from {{ new }} where {{ condition }}
{%- endmacro %}
