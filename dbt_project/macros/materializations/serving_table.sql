{# A table that readers can query while it is rebuilt: they see the old or the new rows, never a mix. With
   config processed_by (a column, and the column of cohort_processed_identities that it matches) an hourly run
   that processes active users only (cohort_scope) replaces the rows of these users; config values_of_others
   sets columns in the rows of all other users. DuckDB does this in one transaction. On Spark, plain files allow
   no delete and a table must be dropped to be rebuilt, so there it is a view of the newest of several tables
   (name__ and a time), replaced by one statement. The previous table stays until the next run, for queries that
   started with it. #}
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

{# True if an hourly run (scope active) keeps the rows of users who are not active. For a model with
   processed_by, if cohort_scope has decided so for this run. #}
{% macro leaves_others() %}
    {%- if not config.get('processed_by') or var('scope') != 'active' or not load_cached_relation(this) -%}
        {{ return(false) }}
    {%- endif -%}
    {{ return(run_query('select 1 from ' ~ built_table('cohort_scope') ~ " where scope = 'active'").rows | length > 0) }}
{% endmacro %}

{# True for rows of the current model whose users this run processes. #}
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
