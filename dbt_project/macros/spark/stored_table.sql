{# The materialization of models on Spark instead of dbt's table: an interrupted `create table as` would leave
   files without a table, and Spark refuses a name whose folder has files. #}
{% materialization stored_table, adapter='spark' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- do spark__assert_contract(compiled_code) -%}
    {%- if existing is not none -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
    {% call statement('main') -%}
        {{ spark__filled_table(target_relation, compiled_code) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# Make an empty table for the rows of a query; returns the statement that fills it. #}
{% macro spark__filled_table(table, sql, partition='') %}
    {%- set columns = [] -%}
    {%- for row in run_query('describe query ' ~ sql).rows -%}
        {%- do columns.append(spark__quoted(row[0]) ~ ' ' ~ row[1]) -%}
    {%- endfor -%}
    {%- do run_query(
        'create table ' ~ table ~ ' (' ~ columns | join(', ') ~ ') using parquet'
        ~ (' partitioned by (' ~ partition ~ ')' if partition)
    ) -%}
    {{ return('insert into ' ~ table ~ ' ' ~ sql) }}
{% endmacro %}

{# Stop if the columns of a query are not those of the model's contract, if it has one. #}
{% macro spark__assert_contract(sql) %}
    {%- if config.get('contract').enforced -%}{%- do get_assert_columns_equivalent(sql) -%}{%- endif -%}
{% endmacro %}
