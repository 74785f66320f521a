{# A table that others read while it is made anew: they see the old one or the new one, never half of
   either. DuckDB's tables are so by themselves; on Spark, where a table of plain files is dropped and
   made again, it is a view of the newest of several tables (name__ and a time), put in place by one
   statement. The one before stays until the next run, for queries that began with it. #}
{% materialization serving_table, adapter='duckdb' %}
    {{ return(materialization_table_duckdb()) }}
{% endmaterialization %}

{% materialization serving_table, adapter='spark' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set before = spark__versions(this) -%}
    {%- set version = this.schema ~ '.' ~ this.identifier ~ '__' ~ run_started_at.strftime('%Y%m%d%H%M%S%f') -%}
    {{ run_hooks(pre_hooks) }}
    {%- do run_query(spark__filled_table(version, compiled_code)) -%}
    {%- if existing is not none and existing.is_table -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
    {% call statement('main') -%}
        create or replace view {{ this }} as select * from {{ version }}
    {%- endcall %}
    {%- for old in before[:-1] -%}{%- do run_query('drop table ' ~ this.schema ~ '.' ~ old) -%}{%- endfor -%}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# Names of the tables behind such a view, oldest first. #}
{% macro spark__versions(relation) %}
    {%- set names = [] -%}
    {%- for row in run_query(
        'show tables in ' ~ relation.schema ~ " like '" ~ relation.identifier ~ "__20*'"
    ).rows -%}
        {%- do names.append(row[1]) -%}
    {%- endfor -%}
    {{ return(names | sort) }}
{% endmacro %}
