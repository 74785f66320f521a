"""Foretell as a Dagster project: when things run, in which order, and what people see of it."""

from models_ml.no_telemetry import disable_telemetry

disable_telemetry()
