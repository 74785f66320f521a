"""Measurements: runnable scripts, results as dated tables in docs/benchmarks.md."""
