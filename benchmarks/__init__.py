"""Measurements: runnable scripts, results as dated tables in docs/benchmarks.md."""

from models_ml.no_telemetry import disable_telemetry

disable_telemetry()
