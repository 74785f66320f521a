{# The tables of folder 00_history, which no model makes: Python writes them, macros write `build_state`. Their columns
   and types are in the YAML of that folder. #}
{% macro history_tables() %}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values()
        if node.package_name == 'foretell' and node.config.materialized == 'history_table' -%}
        {%- do found.append(node.name) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{# One of these tables, where its model says. #}
{% macro history_table(name) %}
    {%- set node = graph.nodes['model.foretell.' ~ name] -%}
    {{ return(api.Relation.create(node.database, node.schema, node.alias, type='table')) }}
{% endmacro %}

{# Its columns: a mapping of column name to SQL type. #}
{% macro history_columns(name) %}
    {%- set columns = {} -%}
    {%- for column in graph.nodes['model.foretell.' ~ name].columns.values() -%}
        {%- do columns.update({column.name: column.data_type}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}

{# The SQL of a model of such a table: its columns, without rows. #}
{% macro no_rows() %}
select
    {%- for column in model.columns.values() %}
    cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
    {%- endfor %}
where false
{% endmacro %}

{# A table that is there before a build (create_history) and that no build changes, not with --full-refresh either. #}
{% materialization history_table, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%} select 1 {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# Before a build: create these tables, empty on a fresh warehouse, so that `dbt build` works before any model
   is trained and without a query log. Missing columns of a table of an older version are added, empty. Reading
   a table opens a transaction, so what follows needs its own commit. #}
{% macro create_history() %}
    {%- if execute %}
    {%- do refuse_version() -%}
    {%- do note_schemas() -%}
    {%- set changed = [] -%}
    {%- for table in history_tables() %}
    {%- set relation, columns = history_table(table), history_columns(table) -%}
    {%- set there = existing_relation(relation) or recovered_table(relation) %}
    {%- if there %}
        {%- set missing = missing_columns(there, columns) -%}
        {%- if missing -%}
            {%- do alter_relation_add_remove_columns(there, missing, none) -%}
            {%- do changed.append(table ~ ' gets columns ' ~ missing | map(attribute='name') | join(', ')) -%}
        {%- endif -%}
    {%- else %}
        {%- do adapter.create_schema(relation.without_identifier()) -%}
        {%- do run_query(create_history_table(relation, columns)) -%}
        {%- do changed.append(table ~ ' is new') -%}
    {%- endif %}
    {%- endfor %}
    {%- if changed -%}
        {%- do adapter.commit() -%}
        {{ log('The history: ' ~ changed | join('; '), info=True) }}
    {%- endif -%}
    {%- endif %}
{% endmacro %}

{# Stop, before anything is written, on a warehouse of an unknown version: one from before 0.3, which stored no
   version, or one of a newer version. #}
{% macro refuse_version() %}
    {%- set state, models = existing_relation(history_table('build_state')), existing_relation(history_table('models')) -%}
    {%- set ours = warehouse_version().split('.') | map('int') | list -%}
    {%- if state -%}
        {%- for row in run_query('select version from ' ~ state ~ ' where version is not null').rows -%}
            {%- set theirs = row[0].split('.') | map('int') | list -%}
            {%- if theirs > ours -%}
                {{ refuse(
                    'this warehouse was made by Foretell ' ~ row[0] ~ ' and this is ' ~ warehouse_version()
                    ~ ': install that version or a newer one'
                ) }}
            {%- elif theirs < ours and var('scope') == 'active' and is_build_of('stg_as_of') -%}
                {{ refuse(
                    'the tables are of Foretell ' ~ row[0] ~ ' and this is ' ~ warehouse_version()
                    ~ ': build them once for all users (`foretell run`, or dbt without scope: active)'
                ) }}
            {%- endif -%}
        {%- endfor -%}
    {%- elif models -%}
        {{ refuse(
            'this warehouse was made before Foretell 0.3, whose tables differ: name another with '
            ~ 'FORETELL_WAREHOUSE and load the events anew'
        ) }}
    {%- endif -%}
{% endmacro %}

{% macro create_history_table(table, columns) %}
    create table if not exists {{ table }} (
        {%- for column, type in columns.items() %}
        {{ column }} {{ type }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{% endmacro %}

{# columns: a mapping of column name to SQL type. #}
{% macro missing_columns(relation, columns) %}
    {%- set missing = [] -%}
    {%- for name in missing_names(relation, columns) -%}
        {%- do missing.append(api.Column(name, columns[name])) -%}
    {%- endfor -%}
    {{ return(missing) }}
{% endmacro %}

{# The columns among these that a table does not have. #}
{% macro missing_names(relation, names) %}
    {%- set there = adapter.get_columns_in_relation(relation) | map(attribute='name') | map('lower') | list -%}
    {{ return(names | reject('in', there) | list) }}
{% endmacro %}
