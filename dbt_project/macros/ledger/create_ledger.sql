{# The two tables that Python appends to, empty on a fresh warehouse, so that `dbt build` works
   before any model is trained. Contract columns: DESIGN.md section 4. #}
{% macro create_ledger() %}
    {%- if execute %}
    {%- set home = api.Relation.create(database=target.database, schema=target.schema).render() %}
    {%- set text = dbt.type_string() %}
    create schema if not exists {{ home }};
    create table if not exists {{ home }}.models (
        model_id {{ text }}, prediction {{ text }}, definition_hash {{ text }},
        trained_at timestamp, as_of timestamp, status {{ text }}, reason {{ text }},
        candidate {{ text }}, calibration {{ text }}, metrics {{ text }},
        reliability {{ text }}, importances {{ text }}, feature_ids {{ text }},
        onnx {{ type_bytes() }}
    );
    create table if not exists {{ home }}.prediction_history (
        prediction {{ text }}, user_id {{ text }}, probability double, percentile double,
        as_of timestamp, scored_at timestamp, model_id {{ text }}
    );
    {%- endif %}
{% endmacro %}
