{# The two tables that Python appends to, empty on a fresh warehouse, so that `dbt build` works
   before any model is trained. Contract columns: DESIGN.md section 4. #}
{% macro create_ledger() %}
    {%- if execute %}
    create schema if not exists {{ target.schema }};
    create table if not exists {{ target.schema }}.models (
        model_id {{ dbt.type_string() }}, prediction {{ dbt.type_string() }}, definition_hash {{ dbt.type_string() }},
        trained_at timestamp, as_of timestamp, status {{ dbt.type_string() }}, reason {{ dbt.type_string() }},
        candidate {{ dbt.type_string() }}, calibration {{ dbt.type_string() }}, metrics {{ dbt.type_string() }},
        reliability {{ dbt.type_string() }}, importances {{ dbt.type_string() }}, feature_ids {{ dbt.type_string() }},
        onnx {{ type_bytes() }}
    );
    create table if not exists {{ target.schema }}.prediction_history (
        prediction {{ dbt.type_string() }}, user_id {{ dbt.type_string() }}, probability double, percentile double,
        as_of timestamp, scored_at timestamp, model_id {{ dbt.type_string() }}
    );
    {%- endif %}
{% endmacro %}
