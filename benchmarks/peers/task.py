"""The feature work that every tool does, with its arguments from the command line.

For each user with an event in the eight weeks before as_of: events per (user, event type, week k),
where week k covers [as_of - 7 (k + 1) days, as_of - 7 k days). Rows with no events are left out.
"""

from __future__ import annotations

import glob
import platform
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

N_WEEKS = 8
WEEK_US = 7 * 24 * 3600 * 10**6
COLUMNS = ["user_id", "event_name", "event_time"]
EDGES = "edges.parquet"  # beside the folders of the tools


@dataclass(frozen=True)
class Task:
    """What to count and where to write it.

    Attributes:
        events: Glob of the Parquet files, one per day; event_time is naive and in UTC.
        as_of: Full hour; events at it or later are not seen.
        folder: The tool's own folder, empty, for whatever it needs.
    """

    events: str
    as_of: datetime
    folder: Path

    @property
    def first_at(self) -> datetime:
        """Return the first instant that counts."""
        return self.as_of - timedelta(weeks=N_WEEKS)

    @property
    def files(self) -> list[str]:
        """Return the Parquet files of the events: the days, and the edges of the weeks."""
        return [*sorted(glob.glob(self.events)), str(self.folder.parent / EDGES)]

    @property
    def counts(self) -> Path:
        """Return the folder of the result: Parquet with user_id, event_name, week, n."""
        folder = self.folder / "counts"
        folder.mkdir(exist_ok=True)
        return folder


def read_task(*packages: str) -> Task:
    """Return the task named by EVENTS AS_OF FOLDER, and print the versions of these packages."""
    events, as_of, folder = sys.argv[1:4]
    names = [f"{package} {version(package)}" for package in packages]
    print("versions:", ", ".join([*names, f"Python {platform.python_version()}"]), flush=True)
    return Task(events, datetime.fromisoformat(as_of), Path(folder))
