"""CDNOW's purchases as events, out of the package `lifetimes`."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
MEMBER = "lifetimes/datasets/CDNOW_master.txt"


def write_cdnow_events(folder: Path) -> Path:
    """Download the package and write its purchases as canonical events; each at noon of its day.

    Args:
        folder: For the package and for events.parquet.

    Raises:
        SystemExit: If it cannot be downloaded.
    """
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
        "--require-hashes", "--dest", str(folder), "--requirement", str(REQUIREMENTS),
    ]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        raise SystemExit(f"CDNOW cannot be downloaded: {found.stderr.strip().splitlines()[-1]}")
    (wheel,) = folder.glob("[Ll]ifetimes-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        lines = archive.read(MEMBER).decode().splitlines()[1:]
    rows = [line.split() for line in lines if line.strip()]
    events = folder / "events.parquet"
    pq.write_table(
        pa.table(
            {
                "user_id": [customer for customer, *_ in rows],
                "event_name": ["purchase"] * len(rows),
                "event_time": [
                    datetime.strptime(day, "%Y%m%d").replace(hour=12) for _, day, *_ in rows
                ],
                "event_properties": [
                    json.dumps({"n_cds": int(n), "amount": float(amount)})
                    for _, _, n, amount in rows
                ],
            }
        ),
        events,
    )
    return events
