"""The table that `foretell config` prints."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from foretell.config import Resolved, shown


def settings_table(settings: Mapping[str, Resolved]) -> Table:
    """Return a row per setting: name, value with secrets masked, and where it comes from."""
    table = Table("setting", "value", "from")
    for each in settings.values():
        table.add_row(each.name, Text(shown(each), overflow="fold"), each.source)
    return table
