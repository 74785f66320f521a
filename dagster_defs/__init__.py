"""Foretell as a Dagster project: when things run, in which order, and what people see of it."""
