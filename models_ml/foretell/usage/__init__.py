"""Which events and properties people query: the logs of a warehouse or of dbt, counted."""
