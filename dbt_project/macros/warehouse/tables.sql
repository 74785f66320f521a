{# Tables made, or found, outside dbt's own materializations. #}

{# The table or view of a model as it is there now, made by this run or one before; none if it is not. For
   hooks, and where a ref would make a circle. #}
{% macro built_table(name) %}
    {%- set node = graph.nodes['model.foretell.' ~ name] -%}
    {{ return(adapter.get_relation(node.database, node.schema, node.alias)) }}
{% endmacro %}

{# A relation if it is there, else none. #}
{% macro existing_relation(relation) %}
    {{ return(adapter.get_relation(relation.database, relation.schema, relation.identifier)) }}
{% endmacro %}

{# A table for the time a materialization takes, of the rows of a query; its name, by which it can be
   read. name: unique in the materialization. Whoever made it drops it. #}
{% macro working_table(name, sql) %}
    {{ return(adapter.dispatch('working_table', 'foretell')(name, sql)) }}
{% endmacro %}
{% macro duckdb__working_table(name, sql) %}
    {%- set table = this.identifier ~ '__' ~ name -%}
    {%- do run_query('create or replace temporary table ' ~ table ~ ' as ' ~ sql) -%}
    {{ return(table) }}
{% endmacro %}
{# Spark's temporary views are computed again by each reader. #}
{% macro spark__working_table(name, sql) %}
    {%- set table = this.schema ~ '.' ~ this.identifier ~ '__' ~ name -%}
    {%- do run_query('drop table if exists ' ~ table) -%}
    {%- do run_query(spark__filled_table(table, sql)) -%}
    {{ return(table) }}
{% endmacro %}
{% macro default__working_table(name, sql) %}{{ exceptions.raise_compiler_error("working_table: add " ~ target.type) }}{% endmacro %}

{# A table gives way to the rows of a query, which may read it: the last statement of that. Spark has no
   such statement; whoever is stopped between drop and rename leaves the whole table under another name,
   and create_history finds it (recovered_table). #}
{% macro replace_table(table, sql) %}{{ return(adapter.dispatch('replace_table', 'foretell')(table, sql)) }}{% endmacro %}
{% macro duckdb__replace_table(table, sql) %}create or replace table {{ table }} as {{ sql }}{% endmacro %}
{% macro spark__replace_table(table, sql) %}
    {%- set building = table ~ '__building' -%}
    {%- do run_query('drop table if exists ' ~ building) -%}
    {%- do run_query(spark__filled_table(building, sql)) -%}
    {%- do run_query('drop table if exists ' ~ table) -%}
    alter table {{ building }} rename to {{ table }}
{%- endmacro %}
{% macro default__replace_table(table, sql) %}{{ exceptions.raise_compiler_error("replace_table: add " ~ target.type) }}{% endmacro %}

{# What a table was renamed from, if replace_table was stopped before it did; renamed now. Else none. #}
{% macro recovered_table(table) %}{{ return(adapter.dispatch('recovered_table', 'foretell')(table)) }}{% endmacro %}
{% macro duckdb__recovered_table(table) %}{{ return(none) }}{% endmacro %}
{% macro spark__recovered_table(table) %}
    {%- set building = adapter.get_relation(none, table.schema, table.identifier ~ '__building') -%}
    {%- if building -%}{%- do run_query('alter table ' ~ building ~ ' rename to ' ~ table) -%}{%- endif -%}
    {{ return(building and table) }}
{% endmacro %}
{% macro default__recovered_table(table) %}{{ exceptions.raise_compiler_error("recovered_table: add " ~ target.type) }}{% endmacro %}
