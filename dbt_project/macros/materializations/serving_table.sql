{# A table that others read while it is made anew: they see the old one or the new one, never half of
   either. With config processed_by (a column, and the one of cohort_processed_identities it is) an hourly
   run that leaves others as they are (cohort_scope) takes out the rows of the users it processes and puts
   in the model's of them; the others get the values of config values_of_others, if any. DuckDB does so in one
   transaction. On Spark, where a table of plain files knows no delete and is dropped to be made
   again, it is a view of the newest of several tables (name__ and a time), put in place by one
   statement. The one before stays until the next run, for queries that began with it. #}
{% materialization serving_table, adapter='duckdb' %}
    {%- if not leaves_others() -%}
        {{ return(materialization_table_duckdb()) }}
    {%- endif -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set of_others = config.get('values_of_others', {}) -%}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set processed = working_table('processed', compiled_code) -%}
    {% call statement('main') -%}
        delete from {{ target_relation }} where {{ is_processed() }};
        {%- for column, value in of_others.items() %}
        update {{ target_relation }} set {{ column }} = {{ value }}
        where {{ column }} is distinct from {{ value }};
        {%- endfor %}
        {{ insert_from(
            target_relation, processed, adapter.get_columns_in_relation(target_relation), is_processed()
        ) }}
    {%- endcall %}
    {%- do run_query('drop table ' ~ processed) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# Does an hourly run (scope active) leave the rows of users who did nothing as they are? Of a model with
   processed_by, if cohort_scope has decided so for this run. #}
{% macro leaves_others() %}
    {%- if not config.get('processed_by') or var('scope') != 'active' or not load_cached_relation(this) -%}
        {{ return(false) }}
    {%- endif -%}
    {{ return(run_query('select 1 from ' ~ built_table('cohort_scope') ~ " where scope = 'active'").rows | length > 0) }}
{% endmacro %}

{# True for rows of the model at hand of users whom this run processes. #}
{% macro is_processed() %}
    {%- set processed = built_table('cohort_processed_identities') -%}
    {%- for own, column in config.require('processed_by').items() -%}
    {{ own }} in (select processed.{{ column }} from {{ processed }} as processed)
    {%- endfor -%}
{% endmacro %}

{% materialization serving_table, adapter='spark' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set before = spark__versions(this) -%}
    {%- set version = this.schema ~ '.' ~ this.identifier ~ '__' ~ run_started_at.strftime('%Y%m%d%H%M%S%f') -%}
    {{ run_hooks(pre_hooks) }}
    {%- do spark__assert_contract(compiled_code) -%}
    {%- do run_query(spark__filled_table(version, spark__with_rows_of_others(compiled_code))) -%}
    {%- if existing is not none and existing.is_table -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
    {% call statement('main') -%}
        create or replace view {{ this }} as select * from {{ version }}
    {%- endcall %}
    {%- for old in before[:-1] -%}{%- do run_query('drop table ' ~ this.schema ~ '.' ~ old) -%}{%- endfor -%}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro spark__with_rows_of_others(sql) %}
    {%- if not leaves_others() -%}{{ return(sql) }}{%- endif -%}
    {%- set of_others, names, values = config.get('values_of_others', {}), [], [] -%}
    {%- for column in adapter.get_columns_in_relation(this) -%}
        {%- do names.append(column.name) -%}
        {%- do values.append(of_others.get(column.name, 'kept.' ~ column.name) ~ ' as ' ~ column.name) -%}
    {%- endfor -%}
    select {{ names | join(', ') }} from ({{ sql }}) as processed where {{ is_processed() }}
    union all
    select {{ values | join(', ') }} from {{ this }} as kept where not coalesce({{ is_processed() }}, false)
{% endmacro %}

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
