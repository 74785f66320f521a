{# A table made block by block: users are dealt into ranges of their key, and the model's SQL runs once
   per range, so that joins, groups and sorts stay small whatever the number of users. All blocks go
   into one transaction, with progress. The model filters its large inputs with in_block(key) and names in
   sized_by three models: what it reads, whom it is made for, and everybody. Spark does all at once: it
   spills and splits by itself. #}
{% materialization user_blocks, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set building = make_intermediate_relation(target_relation) -%}
    {%- set backup = make_backup_relation(target_relation, 'table') -%}
    {{ drop_relation_if_exists(load_cached_relation(building)) }}
    {{ drop_relation_if_exists(load_cached_relation(backup)) }}
    {{ run_hooks(pre_hooks) }}

    {%- set n_blocks = (rows_of_requested_users() / var('rows_per_block')) | round(0, 'ceil') | int or 1 -%}
    {%- set began = modules.datetime.datetime.now() -%}
    {%- set reported = namespace(at=began) -%}
    {#- limit 0: without it DuckDB 2.0 sorts nothing on several threads, and what is inserted after that is
        not seen by this process until a checkpoint (tests/e2e/test_hard_cases.py). -#}
    {% call statement('main') -%}
        create table {{ building }} as select * from ({{ block_of(sql, 0, -1) }}) as nobody limit 0
    {%- endcall %}
    {%- for first, last in blocks_of_keys(n_blocks) -%}
        {% call statement('block') -%}
            insert into {{ building }} {{ block_of(sql, first, last) }}
        {%- endcall %}
        {%- set now = modules.datetime.datetime.now() -%}
        {%- if (now - reported.at).total_seconds() > 5 or (loop.last and reported.at != began) -%}
            {%- set reported.at = now -%}
            {%- set seconds = (now - began).total_seconds() -%}
            {%- set written = run_query('select count(*) from ' ~ building).rows[0][0] -%}
            {{ log(
                model.name ~ ': ' ~ loop.index ~ ' of ' ~ n_blocks ~ ' blocks, '
                ~ '{:,} rows, {:,.0f} rows/s, about {:.0f} s left'.format(
                    written, written / seconds, seconds / loop.index * (n_blocks - loop.index)
                ), info=True
            ) }}
        {%- endif -%}
    {%- endfor -%}

    {%- if existing is not none -%}
        {%- if existing.is_view -%}{{ drop_relation_if_exists(existing) }}
        {%- else -%}{{ adapter.rename_relation(existing, backup) }}{%- endif -%}
    {%- endif -%}
    {{ adapter.rename_relation(building, target_relation) }}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ drop_relation_if_exists(backup) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization user_blocks, adapter='spark' %}
    {{ return(materialization_table_spark()) }}
{% endmaterialization %}

{# About how many input rows the requested users have: in an hour they are few. #}
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

{# True for users of the block at hand; for everybody where the SQL does not run in blocks. #}
{% macro in_block(key) %}{{ key }} between /* first */ 0 and /* last */ 9223372036854775807{% endmacro %}

{# First and last key of so many ranges, about equally many users in each: keys are hashes. #}
{% macro blocks_of_keys(n_blocks) %}
    {%- set step, blocks = 2 ** 63 // n_blocks, [] -%}
    {%- for block in range(n_blocks) -%}
        {%- do blocks.append((block * step, 2 ** 63 - 1 if loop.last else (block + 1) * step - 1)) -%}
    {%- endfor -%}
    {{ return(blocks) }}
{% endmacro %}

{# The SQL of a model with in_block() narrowed to one range. #}
{% macro block_of(sql, first, last) %}
{{- sql | replace('/* first */ 0', first) | replace('/* last */ 9223372036854775807', last) -}}
{% endmacro %}
