"""Rows tried as a run reads them: the same models stage a sample in a warehouse of their own."""

from __future__ import annotations

import glob
import tempfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from foretell.errors import Progress
from foretell.pipeline.dbt import dbt_build
from foretell.settings import Settings
from foretell.sources.text_files import opened
from foretell.warehouse.open import open_warehouse

STAGED = ["--select", "+stg_ingest_counts", "--indirect-selection", "empty"]


@dataclass(frozen=True)
class Trial:
    """The result of a trial: rows by status.

    Attributes:
        n_rows: Rows tried.
        n_accepted: Those that would be used.
        reasons: Reasons of rejected rows, with their number, the most frequent first.
    """

    n_rows: int
    n_accepted: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def is_hopeless(self) -> bool:
        """True if every row would be rejected."""
        return self.n_rows > 0 and self.n_accepted == 0

    def words(self) -> str:
        """Return the reasons as part of a sentence."""
        return "; ".join(f"{count:,} rows: {reason}" for reason, count in self.reasons)


def try_rows(path: str, adapter: str, n_rows: int, progress: Progress) -> Trial:
    """Stage the first rows of some files and count them by status.

    Args:
        path: Path or glob of raw events.
        adapter: The format to read them as.
        n_rows: How many rows to try.
        progress: Called with a line.

    Raises:
        ForetellError: If they cannot be read.
    """
    progress(f"trying up to {n_rows:,} rows as a run would read them")
    with tempfile.TemporaryDirectory(prefix="foretell_") as folder:
        settings = Settings(
            events=str(_sample(path, n_rows, Path(folder))),
            warehouse=Path(folder) / "trial.duckdb",
            adapter=adapter,
        )
        environment = settings.dbt_environment() | {"FORETELL_SPILL": ""}
        dbt_build(STAGED, environment, {"scope": "everyone", "needs_events": False}, progress)
        with open_warehouse(settings.location, read_only=True) as warehouse:
            counts = warehouse.rows(
                "select status, reason, sum(n_rows)::bigint as n_rows from stg_ingest_counts "
                "group by status, reason order by n_rows desc"
            )
    rejected = [row for row in counts if row["status"] == "rejected"]
    return Trial(
        sum(row["n_rows"] for row in counts),
        sum(row["n_rows"] for row in counts if row["status"] != "rejected"),
        tuple((row["reason"], row["n_rows"]) for row in rejected),
    )


def _sample(path: str, n_rows: int, folder: Path) -> str | Path:
    """Return a file with the first rows, with their types; for an object store the path."""
    if "://" in path:
        return path
    files = [Path(file).resolve() for file in sorted(glob.glob(path, recursive=True))]
    first = files[0]
    suffix = "".join(part for part in first.suffixes[-2:] if part not in (".gz", ".zst")).lower()
    suffix = Path(f"x{suffix}").suffix
    target = folder / f"sample{suffix}"
    if first.suffix == ".parquet":
        _copy_parquet(first, target, n_rows)
    elif suffix in (".csv", ".tsv"):
        with duckdb.connect() as connection:
            rows = "read_csv(?, all_varchar = true, header = true, union_by_name = true)"
            delimiter = "\t" if suffix == ".tsv" else ","
            connection.execute(
                f"copy (select * from {rows} limit {n_rows}) to '{target}' "
                f"(header, delimiter '{delimiter}')",
                [str(first)],
            )
    elif first.suffix == ".zst":
        return str(first)
    else:
        target = folder / "sample.ndjson"
        with opened(first) as source, target.open("wb") as file:
            file.writelines(islice(source, n_rows))
    return target


def _copy_parquet(source: Path, target: Path, n_rows: int) -> None:
    file, left = pq.ParquetFile(source), n_rows
    with pq.ParquetWriter(target, file.schema_arrow) as writer:
        for batch in file.iter_batches(batch_size=min(n_rows, 10_000)):
            writer.write_table(pa.Table.from_batches([batch.slice(0, left)]))
            left -= batch.num_rows
            if left <= 0:
                break
