{# Tables made, or found, outside dbt's own materializations. #}

{# The table or view of a model as it exists now, made by this run or an earlier one; none if it does not exist.
   For hooks, and where a ref would be circular. #}
{% macro built_table(name) %}
    {%- set node = graph.nodes['model.foretell.' ~ name] -%}
    {{ return(adapter.get_relation(node.database, node.schema, node.alias)) }}
{% endmacro %}

{# A relation if it exists, else none. #}
{% macro existing_relation(relation) %}
    {{ return(adapter.get_relation(relation.database, relation.schema, relation.identifier)) }}
{% endmacro %}

{# A temporary table with the rows of a query, for use within one materialization; returns its name. name:
   unique in the materialization. The caller drops it. #}
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

{# Statements that replace the rows of a table by those of a query, which may read the table; returns the last
   one. Spark has no such statement: if it is stopped between drop and rename, the complete table stays under
   another name, and create_history finds it (recovered_table). #}
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

{# The table under its temporary name, renamed now, if replace_table was stopped before the rename. Else none. #}
{% macro recovered_table(table) %}{{ return(adapter.dispatch('recovered_table', 'foretell')(table)) }}{% endmacro %}
{% macro duckdb__recovered_table(table) %}{{ return(none) }}{% endmacro %}
{% macro spark__recovered_table(table) %}
    {%- set building = adapter.get_relation(none, table.schema, table.identifier ~ '__building') -%}
    {%- if building -%}{%- do run_query('alter table ' ~ building ~ ' rename to ' ~ table) -%}{%- endif -%}
    {{ return(building and table) }}
{% endmacro %}
{% macro default__recovered_table(table) %}{{ exceptions.raise_compiler_error("recovered_table: add " ~ target.type) }}{% endmacro %}
