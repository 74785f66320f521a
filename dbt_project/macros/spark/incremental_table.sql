{# Tables that each run adds to, on Spark, where plain files allow no delete. A table with event_hour is
   partitioned by day (partition_day, days since 1970; a column of the files, not of the model), and the days of
   removed rows are rewritten without them; smaller tables are rewritten whole. Strategies: those of macro
   add_rows. #}
{% materialization incremental_table, adapter='spark' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}

    {%- if not is_incremental_run() -%}
        {%- if existing is not none -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
        {% call statement('main') -%}
            {{ spark__filled_table(
                target_relation, spark__with_days(compiled_code),
                'partition_day' if spark__is_by_day() else ''
            ) }}
        {%- endcall %}
    {%- else -%}
        {%- set new = working_table('new', spark__with_days(compiled_code)) -%}
        {%- set strategy = config.require('incremental_strategy') -%}
        {%- set names = adapter.get_columns_in_relation(target_relation)
            | map(attribute='name') | list | join(', ') -%}
        {%- if strategy == 'append' -%}
            {% call statement('main') -%}
                insert into {{ target_relation }} ({{ names }}) select {{ names }} from {{ new }}
            {%- endcall %}
        {%- else -%}
            {%- if strategy == 'replace_decided' -%}
                {%- do refuse_late_batches(new) -%}
                {%- set kept = spark__not_decided_again(target_relation, new) -%}
                {%- set condition = 'true' -%}
            {%- elif strategy == 'recount' -%}
                {%- set changed = 'select * from ' ~ new ~ ' where counted_in is null' -%}
                {%- set kept = spark__not_changed(target_relation, changed, config.require('recount_by')) -%}
                {%- set condition = 'counted_in is not null' -%}
            {%- elif strategy == 'delete+insert' -%}
                {%- set kept = spark__not_changed(target_relation, 'select * from ' ~ new, [config.require('unique_key')]) -%}
                {%- set condition = 'true' -%}
            {%- else -%}
                {{ exceptions.raise_compiler_error(model.name ~ ': no incremental strategy ' ~ strategy ~ ' on Spark') }}
            {%- endif -%}
            {%- do spark__rewrite(
                target_relation, names, 'select partition_day from ' ~ new, kept,
                'select ' ~ names ~ ' from ' ~ new ~ ' where ' ~ condition
            ) -%}
            {% call statement('main') -%} select 1 {%- endcall %}
        {%- endif -%}
        {%- do run_query('drop table ' ~ new) -%}
    {%- endif -%}

    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# True if the current model is partitioned by day. #}
{% macro spark__is_by_day() %}
    {{ return(
        config.get('incremental_strategy') == 'replace_decided' or 'event_hour' in config.get('recount_by', [])
    ) }}
{% endmacro %}

{# Rebalance: each day is written as few files, and a large day by several tasks. #}
{% macro spark__with_days(sql) %}
    {%- if not spark__is_by_day() -%}{{ return(sql) }}{%- endif -%}
    select /*+ rebalance(partition_day) */ * from (
        select rows.*, cast(floor(event_hour / 24) as integer) as partition_day from ({{ sql }}) as rows
    ) as rows
{% endmacro %}

{# Existing rows except those whose status a new row changes, as the end of a query after from. #}
{% macro spark__not_decided_again(target, new) %}
    {{ target }} as old
    left anti join (select * from {{ new }} where batch_id < decided_in) as again
        on {{ is_decided_again() }}
{% endmacro %}

{# Existing rows except those of changed keys, in the same form. #}
{% macro spark__not_changed(target, changed, keys) %}
    {{ target }} as old
    left anti join ({{ changed }}) as changed
        on {% for key in keys %}old.{{ key }} = changed.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
{% endmacro %}

{# Replace the rows of a table, or of some days of it. days: a query of partition_day; kept: the rows that stay,
   as the end of a query after from; added: a query of new rows. New rows are written to another table first.
   Days left without rows are removed first and added rows come last, so a run after an interruption finds the
   same work to do. An interruption between the days of the last statement would go unnoticed, so the table is
   marked as unfinished meanwhile (spark__is_unfinished). #}
{% macro spark__rewrite(table, names, days, kept, added) %}
    {%- set is_by_day = spark__is_by_day() -%}
    {%- set of_days = [] -%}
    {%- if is_by_day -%}
        {%- for row in run_query('select distinct partition_day from (' ~ days ~ ')').rows -%}
            {%- do of_days.append(row[0]) -%}
        {%- endfor -%}
        {%- if not of_days -%}{{ return('') }}{%- endif -%}
    {%- endif -%}
    {%- set in_days = spark__in_days(of_days) if is_by_day else 'true' -%}
    {%- set names_of_old = 'old.' ~ names | replace(', ', ', old.') -%}
    {%- set rows = working_table('rows',
        'select ' ~ names_of_old ~ ' from ' ~ kept ~ ' where ' ~ in_days ~ ' union all ' ~ added
    ) -%}
    {%- do run_query('alter table ' ~ table ~ " set tblproperties ('foretell.unfinished' = 'true')") -%}
    {%- if is_by_day -%}
        {%- set left = [] -%}
        {%- for row in run_query('select distinct partition_day from ' ~ rows).rows -%}
            {%- do left.append(row[0]) -%}
        {%- endfor -%}
        {%- for day in of_days if day not in left -%}
            {%- do run_query(
                'alter table ' ~ table ~ ' drop if exists partition (partition_day = '
                ~ ('null' if day is none else day) ~ ')'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do run_query('set spark.sql.sources.partitionOverwriteMode = dynamic') -%}
    {%- do run_query(
        'insert overwrite table ' ~ table ~ (' partition (partition_day)' if is_by_day)
        ~ ' (' ~ names ~ ') select ' ~ ('/*+ rebalance(partition_day) */ ' if is_by_day) ~ names ~ ' from ' ~ rows
    ) -%}
    {%- do run_query('alter table ' ~ table ~ " unset tblproperties if exists ('foretell.unfinished')") -%}
    {%- do run_query('drop table ' ~ rows) -%}
{% endmacro %}

{% macro spark__in_days(days) %}
    {%- set numbers = days | reject('none') | join(', ') -%}
    ({{ 'old.partition_day in (' ~ numbers ~ ')' if numbers else 'false' }}
    {{- ' or old.partition_day is null' if none in days }})
{% endmacro %}

{% macro spark__delete_rows(table, condition) %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set names = adapter.get_columns_in_relation(table) | map(attribute='name') | list | join(', ') -%}
    {%- set going = run_query('select 1 from ' ~ table ~ ' where ' ~ condition ~ ' limit 1').rows -%}
    {%- if going -%}
        {%- do spark__rewrite(
            table, names,
            'select partition_day from ' ~ table ~ ' where ' ~ condition,
            '(select * from ' ~ table ~ ' where not coalesce(' ~ condition ~ ', false)) as old',
            'select ' ~ names ~ ' from ' ~ table ~ ' where false'
        ) -%}
    {%- endif -%}
{% endmacro %}

{# True if a run was stopped while it wrote this table. See spark__rewrite. #}
{% macro is_unfinished(table) %}{{ return(adapter.dispatch('is_unfinished', 'foretell')(table)) }}{% endmacro %}
{% macro spark__is_unfinished(table) %}
    {%- set names = [] -%}
    {%- for row in run_query('show tblproperties ' ~ table).rows -%}{%- do names.append(row[0]) -%}{%- endfor -%}
    {{ return('foretell.unfinished' in names) }}
{% endmacro %}
{% macro duckdb__is_unfinished(table) %}{{ return(false) }}{% endmacro %}
{% macro default__is_unfinished(table) %}{{ exceptions.raise_compiler_error("is_unfinished: add " ~ target.type) }}{% endmacro %}
