"""The table of settings, as `foretell config` prints it."""

from __future__ import annotations

import io

from rich.console import Console

from foretell.config import Resolved
from foretell.report.settings_table import settings_table


def test_every_setting_has_a_row_with_its_source_and_no_secret():
    settings = {
        "events": Resolved("events", "https://ann:pw@host/[red]e.csv", "FORETELL_EVENTS"),
        "sources": Resolved("sources", [{"name": "web"}], "dbt_project.yml"),
    }
    console = Console(file=io.StringIO(), width=120)
    console.print(settings_table(settings))
    shown = console.file.getvalue()
    (events,) = [line for line in shown.splitlines() if "events" in line]
    assert "https://***@host/[red]e.csv" in events
    assert "FORETELL_EVENTS" in events
    assert '[{"name": "web"}]' in shown
    assert "pw" not in shown
