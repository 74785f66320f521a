"""A table that fits the terminal: where it is narrow, columns are left out and no name is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

UNBOUNDED = 100_000


@dataclass(frozen=True)
class Column:
    """A column of a fitted table.

    Attributes:
        heading: Shown above it.
        rank: Columns of the highest rank are left out first; those of rank 0 always stay.
        is_text: Left-justified; else numbers.
    """

    heading: str
    rank: int = 0
    is_text: bool = False


class FittedTable:
    """Rows of text, shown with as many columns as fit."""

    def __init__(self, title: str, columns: Sequence[Column]) -> None:
        self.rows: list[Sequence[str]] = []
        self._title, self._columns = title, columns

    def add_row(self, *values: str) -> None:
        """Add a row, a value per column; values may hold anything and are shown as they are."""
        self.rows.append(values)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table for this width, and a line that names what was left out."""
        shown = list(range(len(self._columns)))
        while self._width(console, options, shown) > options.max_width:
            droppable = [place for place in shown if self._columns[place].rank]
            if not droppable:
                break
            shown.remove(max(droppable, key=lambda place: (self._columns[place].rank, place)))
        yield self._table(shown)
        left = [each.heading for place, each in enumerate(self._columns) if place not in shown]
        if left:
            yield Text(f"A wider terminal also shows: {', '.join(left)}.", style="dim")

    def _width(self, console: Console, options: ConsoleOptions, shown: Sequence[int]) -> int:
        wide = options.update(max_width=UNBOUNDED)
        return Measurement.get(console, wide, self._table(shown)).maximum

    def _table(self, shown: Sequence[int]) -> Table:
        table = Table(title=self._title, title_justify="left")
        for place in shown:
            column = self._columns[place]
            justify: JustifyMethod = "left" if column.is_text else "right"
            table.add_column(column.heading, justify=justify, overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(row[place]) for place in shown))
        return table
