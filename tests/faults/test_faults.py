"""The long form, by `make test-faults`: kills over all phases, runs in pairs, operators' accidents.

What tables hold afterwards is what they hold after an undisturbed run; the copy for readers is whole
at every moment.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import duckdb
import pytest

from tests.faults.shops import (
    SIGNALS,
    an_hour_later,
    copy_of,
    end,
    kill,
    published,
    query,
    reader,
    run,
    start,
    tables,
)
from tests.shop import BUYS, VIEWS, open_shop

pytestmark = pytest.mark.skipif(
    not os.environ.get("FORETELL_FAULTS"), reason="an hour: make test-faults"
)
N_KILLS = int(os.environ.get("FORETELL_FAULTS") or 50)
COMMANDS = {
    "run": ("run",),
    "train": ("train",),
    "score": ("score",),
    "hour": ("score", "--active-only"),
    "check": ("check-predictions",),
}
STOPPED = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}


@pytest.fixture(scope="session")
def day(tmp_path_factory):
    """Return a shop after a daily run, with a file of new events."""
    folder = open_shop(tmp_path_factory.mktemp("faults") / "day", BUYS + VIEWS)
    run(folder, "run")
    an_hour_later(folder)
    return folder


@pytest.fixture(scope="session")
def undisturbed(day, tmp_path_factory):
    """Return, for a command, how long it takes on that shop and what it leaves."""
    done: dict[str, tuple[float, Path]] = {}

    def of(command: str) -> tuple[float, Path]:
        if command not in done:
            folder = copy_of(day, tmp_path_factory.mktemp("undisturbed") / command)
            began = time.monotonic()
            run(folder, *COMMANDS[command])
            done[command] = time.monotonic() - began, folder
        return done[command]

    return of


@pytest.mark.parametrize("number", range(N_KILLS))
def test_kills_over_all_phases(day, undisturbed, tmp_path, number):
    """Spread over the run's time; every signal, to the group and to the parent alone."""
    command = ("run", "hour")[number % 5 == 4]
    seconds, whole = undisturbed(command)
    sent, is_group = SIGNALS[number % 3], number // 3 % 2 == 0
    after = seconds * (0.05 + 0.95 * random.Random(number).random())
    shop = copy_of(day, tmp_path / "shop")
    states = {tuple(published(day)), tuple(published(whole))}
    with reader(shop) as seen:
        killed = start(shop, *COMMANDS[command])
        time.sleep(after)
        if killed.poll() is None:
            output = kill(killed, sent, is_group)
            assert killed.returncode in (STOPPED[sent], 0), output[-2000:]
            if sent == signal.SIGINT and killed.returncode:
                assert "Traceback" not in output
                assert output.strip().splitlines()[-1].startswith("foretell: stopped")
        assert tuple(published(shop)) in states
        run(shop, *COMMANDS[command])
    assert tables(shop) == tables(whole)
    assert published(shop) == published(whole)
    assert len(seen) <= 2


PAIRS = [(a, b) for place, a in enumerate(COMMANDS) for b in list(COMMANDS)[place:]]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_two_at_once_end_as_one_after_the_other(day, tmp_path, first, second):
    """Started in the same moment: the later one waits, none fails, and no table is emptied."""
    shop = copy_of(day, tmp_path / "both")
    with reader(shop) as seen:
        processes = [start(shop, *COMMANDS[command]) for command in (first, second)]
        output = [end(process) for process in processes]
    assert sum("waiting for the warehouse: foretell" in text for text in output) == 1
    ends = []
    for order in ((first, second), (second, first)):
        apart = copy_of(day, tmp_path / "-".join(order))
        for command in order:
            run(apart, *COMMANDS[command])
        ends.append(tables(apart, ("predictions", "models", "stg_ingest_counts")))
        if first == second:
            break
    assert tables(shop, ("predictions", "models", "stg_ingest_counts")) in ends
    assert len(seen) <= 3


def test_a_replay_changes_nothing_that_is_live_and_the_hour_is_right(day, undisturbed, tmp_path):
    _, whole = undisturbed("hour")
    shop = copy_of(day, tmp_path / "shop")
    live, before = (shop / "w.duckdb").read_bytes(), published(shop)
    output = run(
        shop, "run", "--as-of", "2026-02-10T00:00"
    )  # no model is of before then: one is trained
    assert "live scores are unchanged" in " ".join(output.split())
    assert (shop / "w.duckdb").read_bytes() == live
    assert published(shop) == before
    replayed = query(shop / "w_replay_published.duckdb", "select max(as_of) from predictions")
    assert str(replayed[0][0]) <= "2026-02-10 00:00:00"
    run(shop, "score", "--active-only")
    assert tables(shop) == tables(whole)
    assert published(shop) == published(whole)


def test_a_published_replay_is_followed_by_an_hour_that_makes_all_anew(day, undisturbed, tmp_path):
    """Scores of users that the hour does not process stay those of the replay, hence a whole score."""
    _, whole = undisturbed("score")
    shop = copy_of(day, tmp_path / "shop")
    held = run(shop, "score", "--as-of", "2026-02-20T00:00", "--publish", code=3)
    assert "has scores of 0 users where readers have 120" in " ".join(held.split())
    run(shop, "run", "--as-of", "2026-02-20T00:00", "--publish")
    assert {str(row[4])[:10] <= "2026-02-20" for row in published(shop)} == {True}
    output = run(shop, "score", "--active-only")
    assert "replayed a past hour: all tables are built" in " ".join(output.split())
    assert "banned or gone" not in output
    run(shop, "score")
    assert tables(shop, ("predictions",)) == tables(whole, ("predictions",))


def test_a_changed_definition_keeps_people_served(day, tmp_path):
    shop = copy_of(day, tmp_path / "shop")
    before = {row[:2]: row[2] for row in published(shop)}
    definition = shop / "predictions/shop.yml"
    definition.write_text(definition.read_text().replace("horizon_days: 7", "horizon_days: 9"))
    output = " ".join(run(shop, "score", "--active-only").split())
    assert "the definition of buys was changed: its " in output
    marked = "select distinct prediction, is_of_older_definition from predictions order by 1"
    readers = shop / "w_published.duckdb"
    assert query(readers, marked) == [("buys", True), ("views", False)]
    buys = {row[:2]: row[2] for row in published(shop) if row[0] == "buys"}
    assert buys.items() <= before.items()
    assert len(buys) > 0.8 * sum(key[0] == "buys" for key in before)
    run(shop, "run")
    assert query(readers, marked) == [("buys", False), ("views", False)]
    assert query(readers, "select count(*) from alarms") == [(0,)]


@pytest.mark.parametrize("column", ["onnx", "feature_ids", "explain_model"])
def test_a_torn_model_is_named_and_the_others_go_on(day, tmp_path, column):
    shop = copy_of(day, tmp_path / "shop")
    before = [row for row in published(shop) if row[0] == "buys"]
    with duckdb.connect(str(shop / "w.duckdb")) as connection:
        torn = "'\\xDE\\xAD'::blob" if column != "feature_ids" else "'[1, 2'"
        connection.execute(
            f"update foretell.models set {column} = {torn} where prediction = 'buys'"
        )
    output = " ".join(run(shop, "score", "--reasons").split())
    assert "buys: model " in output
    assert f"is torn, its {'graph' if column == 'onnx' else column}" in output
    now = query(shop / "w.duckdb", "select as_of from stg_as_of")[0][0]
    readers = shop / "w_published.duckdb"
    fresh = "select distinct prediction from predictions where as_of = (select max(as_of) from predictions)"
    scored = {name for (name,) in query(readers, fresh)}
    assert scored == ({"buys", "views"} if column == "explain_model" else {"views"})
    assert query(readers, "select kind, prediction from alarms") == [("torn_model", "buys")]
    if column != "explain_model":
        kept = [row for row in published(shop) if row[0] == "buys"]
        assert {row[:3] for row in kept} <= {row[:3] for row in before}
    assert now > min(row[4] for row in before)
    run(shop, "run")  # trained anew
    assert {name for (name,) in query(readers, fresh)} == {"buys", "views"}
