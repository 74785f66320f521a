"""Scores `buys` on Spark, as `foretell score` does after the build.

    python -m tests.spark.scoring FOLDER [--forget]

With --forget nothing was scored before: neither the history nor `predictions` knows. Prints how many
rows were appended, how many the history holds, of how many users, and how many users there are to
score.
"""

from __future__ import annotations

import sys
from pathlib import Path

from foretell.run import score_champions
from foretell.warehouse.open import open_warehouse

HELD = """
    select
        (select count(*) from prediction_history
            where as_of = stg_as_of.as_of and prediction = 'buys') as n_rows,
        (select count(distinct user_id) from prediction_history
            where as_of = stg_as_of.as_of and prediction = 'buys') as n_users,
        (select count(*) from scoring_rows
            where has_features and prediction = 'buys') as n_to_score
    from stg_as_of
"""


def main(folder: Path, is_forgotten: bool) -> None:
    """Score once."""
    if is_forgotten:  # in a session of its own: what is public is found when a session begins
        with open_warehouse(folder / "spark") as warehouse:
            warehouse.execute("delete from prediction_history")
            warehouse.execute("drop view if exists foretell.predictions")
    with open_warehouse(folder / "spark") as warehouse:
        (summary,) = score_champions(warehouse, ["buys"], lambda line: None)
        (held,) = warehouse.rows(HELD)
    counts = (summary.n_appended, held["n_rows"], held["n_users"], held["n_to_score"])
    sys.stdout.write(" ".join(map(str, counts)) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--forget" in sys.argv)
