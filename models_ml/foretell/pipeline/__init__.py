"""The steps of a run between dbt's models: training rows, registry, scores, publishing."""
