{# A table made block by block: users are divided into ranges of their key, and the model's SQL runs once per
   range, so that joins, groups and sorts stay small for any number of users. The model filters its large inputs
   with in_block(key). Its config sized_by names three models: the input, the requested users, and all users. #}
{% materialization user_blocks, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- set n_blocks = (rows_of_requested_users() / var('rows_per_block')) | round(0, 'ceil') | int or 1 -%}
    {%- set backup = duckdb__fill_in_parts(target_relation, blocks_of_keys(n_blocks)) -%}
    {%- do duckdb__finish(target_relation, backup) -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization user_blocks, adapter='spark' %}
    {{ return(materialization_stored_table_spark()) }}
{% endmaterialization %}

{# Estimated input rows of the requested users: few in an hourly run. #}
{% macro rows_of_requested_users() %}
    {%- set names = [] -%}
    {%- for model in config.require('sized_by') -%}
        {%- do names.append(graph.nodes['model.foretell.' ~ model].relation_name) -%}
    {%- endfor -%}
    {{ return(run_query(
        'select (select count(*) from ' ~ names[0] ~ ')'
        ~ ' * (select count(distinct user_key) from ' ~ names[1] ~ ')'
        ~ ' / greatest(1, (select count(*) from ' ~ names[2] ~ '))'
    ).rows[0][0]) }}
{% endmacro %}
