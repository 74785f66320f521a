"""Measurements: runnable scripts, results as dated tables in docs/benchmarks.md."""

from foretell.system.no_telemetry import disable_telemetry

disable_telemetry()
