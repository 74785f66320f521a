"""Tables that fit the terminal."""

from io import StringIO

import pytest
from rich.console import Console

from foretell.report.fitted_table import Column, FittedTable

COLUMNS = (
    Column("name", is_text=True), Column("users"), Column("rate", rank=1), Column("detail", rank=2),
)  # fmt: skip
LONG = "upgrades_within_14_days_of_the_trial"


def shown(width, rows=((LONG, "10,034", "0.81%", "average, no calibration"),)):
    table, out = FittedTable("Predictions", COLUMNS), StringIO()
    for row in rows:
        table.add_row(*row)
    Console(file=out, width=width).print(table)
    return out.getvalue()


@pytest.mark.parametrize(
    ("width", "left_out"),
    [(120, []), (80, ["detail"]), (60, ["detail"]), (56, ["rate", "detail"])],
)
def test_columns_go_and_names_stay(width, left_out):
    text = shown(width)
    assert LONG in text
    assert "10,034" in text
    assert max(map(len, text.splitlines())) <= width
    assert ("A wider terminal also shows: " + ", ".join(left_out) in text) == bool(left_out)
    for heading in ("rate", "detail"):
        assert (f" {heading} ┃" in text) == (heading not in left_out)


def test_a_name_wider_than_the_terminal_is_folded_not_cut():
    assert (
        "".join(line.split("│")[1].strip() for line in shown(30).splitlines() if "│" in line)
        == LONG
    )


def test_what_looks_like_markup_is_text():
    assert "[red]x[/red]" in shown(80, [("[red]x[/red]", "1", "", "")])
