"""Growth of cost on Spark, and scoring on its executors."""
