{# Columns of the tables that no model makes: Python writes them, macros write `build_state`. Contract columns:
   DESIGN.md section 4. #}
{% macro history_tables() %}
    {%- set text = dbt.type_string() -%}
    {{ return({
        'models': {
            'model_id': text, 'prediction': text, 'definition_hash': text,
            'trained_at': 'timestamp', 'as_of': 'timestamp', 'status': text, 'reason': text,
            'candidate': text, 'calibration': text, 'metrics': text, 'reliability': text,
            'importances': text, 'feature_ids': text, 'onnx': type_bytes(),
            'holdout_feature_ids': text, 'holdout_onnx': type_bytes(), 'challenge': text,
            'explain_model': type_bytes(),
        },
        'model_features': {
            'model_id': text, 'feature_name': text, 'kind': text, 'event_name': text,
            'property': text, 'value': text, 'kept_values_hash': 'bigint', 'is_version': 'boolean',
            'week': 'integer',
        },
        'prediction_history': {
            'prediction': text, 'user_id': text, 'probability': 'double',
            'expected_value': 'double', 'percentile': 'double', 'as_of': 'timestamp',
            'scored_at': 'timestamp', 'model_id': text,
        },
        'reasons': {
            'prediction': text, 'user_id': text, 'as_of': 'timestamp', 'model_id': text,
            'place': 'integer', 'input': text, 'words': text, 'contribution': 'double',
        },
        'held_out_scores': {
            'prediction': text, 'model_id': text, 'user_id': text, 'as_of': 'timestamp',
            'probability': 'double', 'outcome': 'integer', 'expected_value': 'double',
            'value': 'double',
        },
        'alarms': {
            'as_of': 'timestamp', 'raised_at': 'timestamp', 'prediction': text, 'kind': text,
            'is_held_back': 'boolean', 'message': text,
        },
        'event_property_usage': {
            'usage_date': 'date', 'event_name': text, 'property': text, 'kind': text,
            'source': text, 'n_queries': 'bigint', 'n_references': 'bigint', 'n_users': 'bigint',
        },
        'build_state': {
            'version': text, 'scope': text, 'as_of': 'timestamp', 'newest_as_of': 'timestamp',
            'scored_as_of': 'timestamp', 'oldest_score_as_of': 'timestamp', 'definitions_hash': 'bigint',
            'step': text, 'follows_stopped': 'boolean', 'is_daily_whole': 'boolean',
            'started_at': 'timestamp', 'finished_at': 'timestamp',
        },
    }) }}
{% endmacro %}

{# One of these tables, in the schema of its source. #}
{% macro history_table(name) %}
    {%- for source in graph.sources.values() if source.package_name == 'foretell' and source.name == name -%}
        {{ return(api.Relation.create(source.database, source.schema, source.identifier, type='table')) }}
    {%- endfor -%}
{% endmacro %}

{# Before a build: create these tables, empty on a fresh warehouse, so that `dbt build` works before any model
   is trained and without a query log. Missing columns of a table of an older version are added, empty. Reading
   a table opens a transaction, so what follows needs its own commit. #}
{% macro create_history() %}
    {%- if execute %}
    {%- do refuse_version() -%}
    {%- set changed = [] -%}
    {%- for table, columns in history_tables().items() %}
    {%- set relation = history_table(table) -%}
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
