"""Spark on two local cores."""

from __future__ import annotations

from pyspark.sql import SparkSession

from benchmarks.peers.task import WEEK_US, Task, read_task

SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "6g",  # as much as Foretell is allowed; the default of 1g is for trials
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "16",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
SQL = f"""
    select
        user_id,
        event_name,
        cast(
            (unix_micros(:as_of) - 1 - unix_micros(cast(event_time as timestamp))) div {WEEK_US}
            as tinyint
        ) as week,
        count(*) as n
    from events
    where event_time >= :first_at and event_time < :as_of
    group by all
"""


def count(task: Task) -> None:
    """Group the events of the eight weeks by user, event type and week."""
    builder = SparkSession.builder.config("spark.local.dir", str(task.folder / "spill"))
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.read.parquet(*task.files).createOrReplaceTempView("events")
    counts = spark.sql(SQL, args={"as_of": task.as_of, "first_at": task.first_at})
    counts.write.mode("overwrite").parquet(str(task.counts))
    spark.stop()


if __name__ == "__main__":
    count(read_task("pyspark"))
