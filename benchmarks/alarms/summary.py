"""Tables of what `python -m benchmarks.alarms` wrote: alarms by kind, and coverage of intervals.

.venv/bin/python -m benchmarks.alarms.summary FILE …
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

KINDS = (
    "outcome_began", "outcome_gone", "expected_outcomes", "written_afterwards", "near_perfect",
    "no_better_than_guessing", "data_gap",
)  # fmt: skip


def main() -> None:
    """Print both tables as Markdown."""
    texts = [Path(path).read_text(encoding="utf-8") for path in sys.argv[1:]]
    rows = [json.loads(line) for text in texts for line in text.splitlines()]
    sys.stdout.write("\n".join([*alarm_table(rows), "", *coverage_table(rows), ""]))


def alarm_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the number of alarms by source and kind; in brackets of them those that hold back."""
    runs: dict[str, set[str]] = defaultdict(set)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        source = row["source"].split(",")[0]
        runs[source].add(row["source"] + row["cut"])
        for alarm in row["alarms"]:
            counts[source][alarm["kind"]] += 1
            counts[source][alarm["kind"] + " held"] += alarm["is_held_back"]
    lines = [f"| events | runs | {' | '.join(KINDS)} |", "|---" * (len(KINDS) + 2) + "|"]
    for source, own in sorted(runs.items()):
        cells = [f"{counts[source][kind]} ({counts[source][f'{kind} held']})" for kind in KINDS]
        lines.append(f"| {source} | {len(own)} | {' | '.join(cells)} |")
    return lines


def coverage_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return how often the realised measures are within the card's 95 % interval."""
    known = [row for row in rows if "log_loss" in row]
    lines = ["| interval of | inside | below (better) | above (worse) |", "|---|---|---|---|"]
    for name, low, high, measure in (
        ("AUROC", "low", "high", "auroc"),
        ("log loss, other users only", "low_of_users", "high_of_users", "log_loss"),
        ("log loss, as the card says it", "low", "high", "log_loss"),
    ):
        places: Counter[str] = Counter()
        for row in known:
            metric = row["metrics"][measure]
            bottom, top = metric.get(low, metric["low"]), metric.get(high, metric["high"])
            value = row[measure]
            places["below" if value < bottom else "above" if value > top else "inside"] += 1
        lines.append(
            f"| {name} | {places['inside']} of {len(known)} | {places['below']} | "
            f"{places['above']} |"
        )
    return lines


if __name__ == "__main__":
    main()
