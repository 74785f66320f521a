"""The history as tables of small warehouses that no dbt made; a test holds them to dbt's."""

from __future__ import annotations

from pathlib import Path

import duckdb
import jinja2

from foretell.project import PACKAGE

MODELS = """
    create table models (
        model_id varchar, prediction varchar, definition_hash varchar, trained_at timestamp,
        as_of timestamp, status varchar, reason varchar, candidate varchar, calibration varchar,
        metrics varchar, reliability varchar, importances varchar, feature_ids varchar, onnx blob,
        holdout_feature_ids varchar, holdout_onnx blob, challenge varchar,
        explain_model blob);
"""
MODEL_FEATURES = """
    create table model_features (
        model_id varchar, feature_name varchar, kind varchar, event_name varchar, property varchar,
        value varchar, kept_values_hash bigint, is_version boolean, week integer);
"""
# What the taxonomy says of features, for a model to be saved.
FEATURES = """
    create table taxonomy_features (
        feature_name varchar, kind varchar, counter_id integer, event_name varchar, property varchar,
        value varchar, kept_values_hash bigint, is_version boolean, week integer, is_kept boolean);
    create table features (
        feature_id integer, feature_name varchar, event_name varchar, property varchar);
    create table taxonomy_other_values (
        event_name varchar, property varchar, kept_values_hash bigint, value varchar);
"""
REASONS = """
    create table reasons (
        prediction varchar, user_id varchar, as_of timestamp, model_id varchar, place integer,
        input varchar, words varchar, contribution double);
"""
HELD_OUT_SCORES = """
    create table held_out_scores (
        prediction varchar, model_id varchar, user_id varchar, as_of timestamp,
        probability double, outcome integer, expected_value double, value double);
"""
PREDICTION_HISTORY = """
    create table prediction_history (
        prediction varchar, user_id varchar, probability double, expected_value double,
        percentile double, as_of timestamp, scored_at timestamp, model_id varchar);
"""
ALARMS_TABLE = """
    create table alarms (
        as_of timestamp, raised_at timestamp, prediction varchar, kind varchar,
        is_held_back boolean, message varchar);
"""

# The project's own view of who scores; it reads prediction_definitions and stg_as_of.
CHAMPIONS = "create view champions as " + jinja2.Template(
    (PACKAGE / "dbt_project/models/02_hourly/champions/champions.sql").read_text()
).render(
    ref=lambda name: name,
    source=lambda schema, name: name,
    config=lambda **config: "",
    in_view=lambda relation: relation,
)


def create_model_tables(path: Path, more: str) -> Path:
    """Make a warehouse with the tables that models are saved to; return its file, w.duckdb.

    Args:
        path: The folder of the file.
        more: SQL of other tables.
    """
    with duckdb.connect(str(path / "w.duckdb")) as connection:
        connection.execute("create schema foretell; use w.foretell;")
        connection.execute(MODELS + MODEL_FEATURES + FEATURES + HELD_OUT_SCORES + more)
        connection.execute(CHAMPIONS)
    return path / "w.duckdb"
