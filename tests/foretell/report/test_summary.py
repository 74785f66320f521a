"""Tables and lines after a run."""

from __future__ import annotations

import io
from datetime import datetime

from rich.console import Console, Group

from foretell.alarms.alarms import Alarm
from foretell.report.summary import alarm_lines, stale_predictions


def test_a_terminal_of_80_columns_shows_every_alarm_and_no_markup_of_names():
    held = Alarm(
        "a", "“[red]x[/red]” was last seen on 2026-04-16, " + "45 days " * 20, "leaves", True
    )
    out = io.StringIO()
    console = Console(file=out, width=80)
    console.print(
        Group(*alarm_lines([held, Alarm("b", "1 of 2 snapshots", "buys"), Alarm("c", "d")]))
    )
    text = out.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "“[red]x[/red]” was last seen" in text
    assert text.index("Held back") < text.index("- leaves: ") < text.index("Warnings")
    assert "- buys: 1 of 2 snapshots." in text
    assert "\n- d." in text
    assert alarm_lines([]) == []


def test_predictions_that_were_not_scored_for_days_are_named():
    now = datetime(2026, 6, 10)
    row = {"prediction": "buys", "oldest_as_of": now, "n_users": 1200, "n_cohort": 1300}
    fresh = row | {"newest_as_of": datetime(2026, 6, 8)}
    old = row | {"newest_as_of": datetime(2026, 6, 7, 23)}
    assert stale_predictions([fresh, row | {"newest_as_of": None}], now) == []
    assert stale_predictions([old], None) == []
    (line,) = stale_predictions([fresh, old], now)
    assert line.startswith("buys: its scores are as of 2026-06-07 23:00, 2 days before now, and ")
    assert "1,200 of 1,300 users" in line
