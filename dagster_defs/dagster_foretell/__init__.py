"""Foretell as a Dagster project: assets, jobs, schedules, and what the UI shows of them."""

from foretell.system.no_telemetry import disable_telemetry

disable_telemetry()
