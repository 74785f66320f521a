{# The tables that Python writes, empty on a fresh warehouse, so that `dbt build` works before any
   model is trained and without any query log. Contract columns: DESIGN.md section 4. #}
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
    create table if not exists {{ home }}.event_property_usage (
        usage_date date, event_name {{ text }}, property {{ text }}, kind {{ text }},
        source {{ text }}, n_queries bigint, n_references bigint, n_users bigint
    );
    {%- endif %}
{% endmacro %}
