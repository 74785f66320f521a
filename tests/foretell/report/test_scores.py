"""`foretell show`: the published scores, for people and as JSON."""

import json
from datetime import datetime
from io import StringIO

import duckdb
import pytest
from rich.console import Console

from foretell.errors import ForetellError
from foretell.report.scores import read_scores, scores_json, scores_table
from foretell.settings import read_settings

HOSTILE = "[bold]{{ x }}</script>'"


@pytest.fixture
def settings(tmp_path):
    settings = read_settings({"FORETELL_WAREHOUSE": str(tmp_path / "w.duckdb")}, tmp_path)
    with duckdb.connect(str(tmp_path / "w_published.duckdb")) as copy:
        copy.execute("create schema foretell; use foretell")
        copy.execute("""
            create table predictions as
            select 'buys' as prediction, 'u' || i as user_id, i / 100.0 as probability,
                null::double as expected_value, i::double as percentile, timestamp '2026-01-01' as as_of
            from range(100) as t(i)
        """)
        copy.execute(
            "insert into predictions values ('spends', ?, 0.5, 12.345, 50, '2026-01-02')", [HOSTILE]
        )
    return settings


def text_of(table, width=80):
    out = StringIO()
    Console(file=out, width=width).print(table)
    return out.getvalue()


def test_the_top_users_of_each_prediction_come_first(settings):
    rows = read_scores(settings, None, 2)
    assert [(row["prediction"], row["user_id"]) for row in rows] == [
        ("buys", "u99"), ("buys", "u98"), ("spends", HOSTILE),
    ]  # fmt: skip
    assert len(read_scores(settings, "buys", 5)) == 5


def test_ids_are_shown_as_they_are(settings):
    shown = text_of(scores_table(read_scores(settings, None, 1)), width=150)
    assert HOSTILE in shown
    assert "12.35" in shown or "12.34" in shown
    assert "expected value" not in text_of(scores_table(read_scores(settings, "buys", 1)))


def test_json_is_whole(settings):
    (row,) = json.loads(scores_json(read_scores(settings, "spends", 1)))
    assert row["user_id"] == HOSTILE
    assert datetime.fromisoformat(row["as_of"]) == datetime(2026, 1, 2)


def test_an_unknown_prediction_and_a_missing_copy_are_named(settings, tmp_path):
    with pytest.raises(ForetellError, match='no scores of "nope"; there are some of buys, spends'):
        read_scores(settings, "nope", 1)
    (tmp_path / "w_published.duckdb").unlink()
    with pytest.raises(ForetellError, match=r"nothing is published yet at .*: `foretell run` does"):
        read_scores(settings, None, 1)
