"""Foretell as a Dagster project: when things run, in which order, and what people see of it."""

from foretell.system.no_telemetry import disable_telemetry

disable_telemetry()
