"""Files as real tools write them: each row is what its file says, or a counted rejection with the reason."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.conftest import WarehouseFolder
from tests.shop import BUYS, foretell, open_shop, shop_events

CASES = Path(__file__).parents[1] / "fixtures/cases"
STAGED = ["--select", "+stg_rejected_events", "+ingest_report", "+ingest_alarms"]


@pytest.fixture
def warehouse(tmp_path: Path) -> WarehouseFolder:
    return WarehouseFolder(tmp_path)


def load(warehouse: WarehouseFolder, source: str, adapter: str = "canonical") -> str:
    """Stage the events of a file or glob of the cases, or of what is in the warehouse's folder already.

    Always from there, as dbt parses everything anew whenever a path differs (10 s).
    """
    for file in CASES.glob(source):
        shutil.copy(file, warehouse.folder / "events")
    warehouse.source = {
        "FORETELL_EVENTS": str(warehouse.folder / f"events/*{Path(source).suffix}"),
        "FORETELL_ADAPTER": adapter,
    }
    return warehouse.dbt("everyone", STAGED)


def write(warehouse: WarehouseFolder, name: str, sql: str) -> None:
    """Write a Parquet file of a query."""
    path = warehouse.folder / "events" / name
    duckdb.execute(f"copy ({sql}) to '{path}' (format parquet)")


@pytest.mark.parametrize("file", ["ns.parquet", "ns_tz.parquet"])
def test_times_in_nanoseconds(warehouse, file):
    load(warehouse, f"01-parquet-ns-with-time-zone/{file}")
    times = "select cast(event_time as varchar) from stg_events order by 1"
    assert warehouse.query(times) == [("2026-01-01 10:00:00",), ("2026-01-01 10:00:00.123456",)]


def test_whole_numbers_that_became_floats_in_one_file(warehouse):
    load(warehouse, "02-ids-that-pandas-made-floats/*.parquet")
    counts = "select user_id, count(*) from stg_events group by 1 order by 1 nulls first"
    assert warehouse.query(counts) == [
        (None, 1), ("1001", 2), ("1002", 1), ("143349558619761320", 1), ("143349558619761321", 1),
    ]  # fmt: skip


def test_an_id_that_lost_digits_is_rejected_with_that_reason(warehouse):
    source = CASES / "02-ids-that-pandas-made-floats/single_float_file.parquet.alone"
    shutil.copy(source, warehouse.folder / "events/alone.parquet")
    load(warehouse, "*.parquet")
    assert warehouse.query("select user_id, device_id from stg_events order by 2") == [
        ("1001", "d1"), (None, "d2"),
    ]  # fmt: skip
    assert warehouse.query("select reason from stg_rejected_events") == [
        ("user_id was rounded by another tool",)
    ]


IDS = [
    ("decimal(38,0)", "143349558619761321", "143349558619761321"),
    ("decimal(18,2)", "1002", "1002"),
    ("float", "1003", "1003"),
    ("float", "16777217", None),
    ("varchar", "'1004.0'", "1004"),
    ("varchar", "'1.2.0'", "1.2.0"),
    ("varchar", "'a1.0'", "a1.0"),
    ("varchar", "'1.4334955861976131e+17'", None),
    ("double", "9007199254740992", "9007199254740992"),
    ("double", "1e20", None),
]


def test_ids_of_any_type(warehouse):
    for number, (kind, literal, _) in enumerate(IDS):
        columns = f"'{number}' as event_name, timestamp '2026-01-01' as event_time"
        write(
            warehouse,
            f"{number}.parquet",
            f"select cast({literal} as {kind}) as user_id, {columns}",
        )
    load(warehouse, "*.parquet")
    found = dict(warehouse.query("select event_name, user_id from stg_events"))
    assert found == {str(n): user for n, (_, _, user) in enumerate(IDS) if user}
    n_rejected = "select count(*) from stg_rejected_events where reason like '%was rounded%'"
    assert warehouse.query(n_rejected) == [(3,)]


@pytest.mark.parametrize(
    "pair", [("ga4_daily", "ga4_intraday_order"), ("ga4_batch_daily", "ga4_batch_intraday")]
)
def test_the_day_and_the_intraday_table_hold_the_same_events(warehouse, pair):
    for name in pair:
        file = CASES / f"03-ga4-daily-and-intraday-twice/{name}.ndjson"
        shutil.copy(file, warehouse.folder / "events")
    load(warehouse, "*.ndjson", "ga4")
    statuses = "select status, sum(n_rows) from stg_ingest_counts group by 1 order by 1"
    assert warehouse.query(statuses) == [("accepted", 4), ("duplicate", 4)]


def test_placeholders_own_no_device_and_merge_nobody(warehouse):
    source = str(CASES / "06-placeholder-ids/posthog.jsonl")
    warehouse.source = {"FORETELL_EVENTS": source, "FORETELL_ADAPTER": "posthog"}
    warehouse.dbt("everyone", ["--select", "+stg_identity_map", "+ingest_report"])
    owners = """
        select identities.user_id, users.user_id
        from stg_identities as identities
        join stg_identity_map as identity_map using (identity_key)
        join stg_identities as users on identity_map.user_key = users.identity_key
        where valid_to_hour = 2147483647 order by 1
    """
    found = dict(warehouse.query(owners))
    assert {name for name in found if name.startswith("alice")} == {"alice0", "alice1", "alice2"}
    assert all(found[f"alice{n}"] == f"alice{n}" for n in range(3))
    assert {found[f"device:dev{n}"] for n in range(12)} == {f"erin{n}" for n in range(12)}
    assert not {"null", "undefined"} & (set(found) | set(found.values()))
    ((n_placeholders, n_unusable),) = warehouse.query(
        "select n_placeholder_ids, n_unusable from ingest_report"
    )
    assert n_placeholders >= 12 + 3 + 1
    assert n_unusable == 1, "the page view of nobody"


def test_times_as_warehouses_write_them(warehouse):
    load(warehouse, "07-times-that-warehouses-write/*.csv")
    hours = dict(warehouse.query("select user_id, cast(event_time as varchar) from stg_events"))
    expected = {user: "2026-01-01 09:00:00" for user in ("u0", "u1", "u2", "u3")}
    expected |= {user: "2026-01-01 10:00:00" for user in ("u4", "u6", "u7", "u8")}
    expected |= {"1": "2021-01-01 00:00:00", "2": "2021-01-01 00:00:01"}
    assert {user: hours[user] for user in expected} == expected
    reasons = "select reason, count(*) from stg_rejected_events group by 1"
    assert warehouse.query(reasons) == [("event_time is not a time", 2)]


STRUCTS = {
    "structint": [{"sku": 12}, {"sku": "0007"}],
    "structround": [
        {"amount": 10, "sku": "0012"},
        {"amount": 12.75, "sku": "0007"},
        {"amount": 9.99},
    ],
    "structtext": [{"a": 1, "n": "it's"}, {"a": 2}],
    "structtext2": [{"a": 1, "n": "it's"}, {"a": 2, "z": 9, "coupon": "SPRING"}, {"z": 10}, None],
    "structtext3": [{"a": 1}, {"a": "gold", "z": {"q": 1}}],
    "bigtime": [None, None],
}


def test_the_content_of_a_file_does_not_depend_on_other_files(warehouse):
    for folder in STRUCTS:
        for file in (CASES / "08-struct-then-text" / folder).iterdir():
            shutil.copy(file, warehouse.folder / f"events/{folder}_{file.name}")
    shutil.copy(
        CASES / "07-times-that-warehouses-write/epoch_s.parquet", warehouse.folder / "events"
    )
    load(warehouse, "*.parquet")
    rows = warehouse.query("""
        select source_file, user_id, event_properties, cast(event_time as varchar)
        from stg_checked_events join stg_batches using (batch_id) order by user_id
    """)
    for folder, expected in STRUCTS.items():
        found = [text for file, _, text, _ in rows if f"/{folder}_" in file]
        assert [json.loads(text) if text else None for text in found] == expected, folder
    (times,) = [[time for file, *_, time in rows if "epoch_s" in file]]
    assert times == ["2026-01-01 10:00:00"]


def test_a_rolling_path_loses_nothing(warehouse):
    shutil.copytree(CASES / "13-one-path-per-day/day", warehouse.folder / "day")
    for day in ("2026-01-01", "2026-01-02"):
        warehouse.source = {"FORETELL_EVENTS": str(warehouse.folder / f"day/{day}/*.parquet")}
        output = warehouse.dbt("everyone", STAGED)
    assert "anew" not in output
    assert "1 loaded file is gone or not named any more" in output
    assert "their 3 events stay" in output
    assert warehouse.query("select count(*) from stg_events") == [(6,)]


def test_a_clock_20_days_ahead_is_set_aside(warehouse):
    load(warehouse, "14-clock-20-days-ahead/e.parquet")
    as_of = "select cast(as_of as varchar) from stg_as_of"
    ((hour,),) = warehouse.query(as_of)
    assert "2026-05-31 23:00" <= hour <= "2026-06-01 00:00:00"
    assert warehouse.query("select n_ahead from ingest_report") == [(1,)]
    ((message,),) = warehouse.query("select message from ingest_alarms where kind = 'clock_ahead'")
    assert message.startswith("1 event lies up to 20 days after 2026-05-31 23:00")
    load(warehouse, "14-clock-20-days-ahead/next_day.parquet")
    late = (
        "select sum(n_too_late), sum(n_accepted) from ingest_report where source_file like '%next%'"
    )
    assert warehouse.query(late) == [(0, 300)]
    ((hour,),) = warehouse.query(as_of)
    assert hour.startswith("2026-06-01")


def test_a_load_of_all_that_would_lose_events_is_refused(warehouse):
    """A file changed after others were pruned: what is loaded stays until somebody says to lose it."""
    for day in (1, 2):
        write(
            warehouse,
            f"{day}.parquet",
            f"""
            select 'u' || i as user_id, 'open' as event_name, timestamp '2026-01-0{day}' as event_time
            from range(5) as r (i)""",
        )
    load(warehouse, "*.parquet")
    (warehouse.folder / "events/1.parquet").unlink()
    os.utime(warehouse.folder / "events/2.parquet", (1_780_000_000,) * 2)
    n_events = "select count(*) from stg_events"
    for arguments in ([], ["--full-refresh"]):
        done = warehouse._dbt("run", "everyone", [*STAGED, *arguments])
        assert done.returncode != 0
        assert "5 events of 1 file would be lost" in done.stdout
        assert "1.parquet" in done.stdout
        assert "foretell run --keep-loaded" in done.stdout
        assert warehouse.query(n_events) == [(10,)]
    assert "keep_loaded" in warehouse.dbt("everyone", STAGED, "keep_loaded: true")
    assert "anew" not in warehouse.dbt("everyone", STAGED)
    assert warehouse.query(n_events) == [(10,)]
    warehouse.source = {"FORETELL_EVENTS": "", "FORETELL_ADAPTER": ""}
    done = warehouse._dbt("run", "everyone", STAGED)
    assert done.returncode != 0
    assert "because the demo must not mix with your events, and 10 events of 2 files" in done.stdout
    warehouse.source = {
        "FORETELL_EVENTS": str(warehouse.folder / "events/*.parquet"),
        "FORETELL_ADAPTER": "canonical",
    }
    warehouse.dbt("everyone", [*STAGED, "--full-refresh"], "forget_gone_files: true")
    assert warehouse.query(n_events) == [(5,)]


def test_a_batch_that_is_late_as_a_whole_stops_the_run(warehouse):
    """Either it is history, or the clock is wrong: nobody finds out by a count in a report."""
    rows = "select 'u' || i as user_id, 'open' as event_name, {} + to_hours(i) as event_time from range(30) as r (i)"
    write(warehouse, "1.parquet", rows.format("timestamp '2026-03-01'"))
    load(warehouse, "*.parquet")
    write(warehouse, "2.parquet", rows.format("timestamp '2026-01-01'"))
    for _ in range(2):
        done = warehouse._dbt("run", "everyone", STAGED)
        assert done.returncode != 0
        assert (
            "2.parquet comes too late as a whole: its 30 events are of 2026-01-01 00:00 to 2026-01-02 05:00"
            in done.stdout
        )
        assert "more than 7 days before the newest that is loaded, 2026-03-02 05:00" in done.stdout
    warehouse.dbt("everyone", STAGED, "accept_late: true")
    assert warehouse.query("select sum(n_too_late), sum(n_accepted) from ingest_report") == [
        (30, 30)
    ]


def test_a_torn_file_is_left_out_until_it_is_whole(warehouse):
    events = warehouse.folder / "events"
    row = "select 'u{}' as user_id, 'open' as event_name, timestamp '2026-01-0{}' as event_time"
    for day in (1, 2):
        write(warehouse, f"{day}.parquet", row.format(day, day))
    whole = (events / "2.parquet").read_bytes()
    (events / "2.parquet").write_bytes(whole[:-20])
    warehouse.source = {
        "FORETELL_EVENTS": str(events / "*.parquet"),
        "FORETELL_ADAPTER": "canonical",
        "FORETELL_TORN_FILES": json.dumps({str(events / "2.parquet"): "is half"}),
    }
    warehouse.dbt("everyone", STAGED)
    assert warehouse.query("select user_id from stg_events") == [("u1",)]
    ((message,),) = warehouse.query("select message from ingest_alarms")
    assert message.startswith("1 file is left out: ")
    assert message.endswith("2.parquet is half; the next run looks again")
    (events / "2.parquet").write_bytes(whole)
    load(warehouse, "*.parquet")
    assert warehouse.query("select user_id from stg_events order by 1") == [("u1",), ("u2",)]
    assert warehouse.query("from ingest_alarms") == []


def test_a_torn_text_file_is_left_out_and_reported(tmp_path):
    """Its gzip is cut: DuckDB alone would stop, or read rows that nobody wrote."""
    shop = open_shop(tmp_path, BUYS)
    rows = [json.dumps(row) for row in shop_events()]
    for number in (1, 2):
        packed = gzip.compress("\n".join(rows[number::2]).encode())
        (shop / f"events/{number}.ndjson.gz").write_bytes(packed[: -6 if number == 2 else None])
    done = foretell(shop, "check-predictions", EVENTS=str(shop / "events/*.ndjson.gz"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 file is left out: " in done.stdout
    assert "ended before the end-of-stream marker" in " ".join(done.stdout.split())
    with duckdb.connect(str(shop / "w.duckdb"), read_only=True) as connection:
        assert connection.execute(
            "select count(*) from foretell_internal.stg_events"
        ).fetchall() == [(len(rows[1::2]),)]
        assert connection.execute("select kind from foretell.ingest_alarms").fetchall() == [
            ("torn_file",)
        ]


TIMES = {
    "timestamp": "{}",
    "timestamp_ns": "cast({} as timestamp_ns)",
    "timestamptz": "cast({} as timestamptz)",
    "iso": "strftime({}, '%Y-%m-%dT%H:%M:%S.%fZ')",
    "space before the offset": "strftime({} + interval 2 hour, '%Y-%m-%d %H:%M:%S.%f +02:00')",
    "small letters": "strftime({}, '%Y-%m-%dt%H:%M:%S.%fz')",
    "a zone after the offset": "strftime({} + interval 1 hour, '%Y-%m-%dT%H:%M:%S.%f+01:00[Europe/Berlin]')",
    "micros": "epoch_us({})",
    "micros as text": "cast(epoch_us({}) as varchar)",
}
USERS = {
    "varchar": "cast(n as varchar)",
    "bigint": "n",
    "decimal(38,0)": "cast(n as decimal(38, 0))",
    "double": "cast(n as double)",
    "decimal(20,2)": "cast(n as decimal(20, 2))",
}
PROPERTIES = {
    "json": """'{"amount": ' || amount || ', "sku": "' || sku || '", "n": ' || i || '}'""",
    "spaced json": """'{ "sku" : "' || sku || '","n":' || i || ', "none": null , "amount":' || amount || '}'""",
    "struct": "{'sku': sku, 'n': i, 'amount': amount}",
    "struct of decimals": "{'n': cast(i as decimal(38, 0)), 'sku': sku, 'amount': amount, 'none': null}",
}


@pytest.mark.parametrize("seed", range(2))
def test_any_split_into_files_of_any_types_gives_the_same_events(warehouse, seed):
    rng = random.Random(seed)
    n_rows, expected = 60, []
    for i in range(n_rows):
        n = rng.choice([1 + i % 7, 2**53 - i, 143349558619761320 + i % 3])
        seconds = rng.randrange(0, 5_000_000_000_000)
        row = f"select {i} as i, {n}::bigint as n, timestamp '2026-01-01' + to_microseconds({seconds}) as moment"
        row += f", {rng.randrange(0, 99)}.25 as amount, '000{i}' as sku"
        expected.append((i, row, n))
    rng.shuffle(expected)
    cuts = sorted(rng.sample(range(1, n_rows), 7))
    rounded = set()
    for number, (first, last) in enumerate(zip([0, *cuts], [*cuts, n_rows], strict=True)):
        part = expected[first:last]
        user, time = rng.choice(list(USERS)), rng.choice(list(TIMES))
        if user == "double":
            rounded |= {i for i, _, n in part if n > 2**53}
        given = rng.choice(list(PROPERTIES.values()))
        columns = [
            f"{USERS[user]} as user_id",
            "'open' as event_name",
            f"{TIMES[time].format('moment')} as event_time",
            f"{given} as event_properties",
            "'e' || i as event_id",
        ]
        rng.shuffle(columns)
        rows = " union all ".join(row for _, row, _ in part)
        write(warehouse, f"{number}.parquet", f"select {', '.join(columns)} from ({rows})")
    load(warehouse, "*.parquet")
    found = warehouse.query(
        "select event_id, user_id, event_time, event_properties from stg_events"
    )
    duckdb.execute(
        f"create or replace table e as {' union all '.join(row for _, row, _ in expected)}"
    )
    expected_rows = duckdb.execute("select 'e' || i, i, n, moment, amount, sku from e").fetchall()
    assert {event_id for event_id, *_ in found} == {
        f"e{i}" for i in range(n_rows) if i not in rounded
    }
    by_id = {row[0]: row[1:] for row in found}
    for event_id, i, n, at, amount, sku in expected_rows:
        if i in rounded:
            continue
        user_id, time, text = by_id[event_id]
        given = {key: value for key, value in json.loads(text).items() if value is not None}
        assert (user_id, time) == (str(n), at)
        assert given == {"sku": sku, "n": i, "amount": float(amount)}
    reasons = dict(warehouse.query("select reason, count(*) from stg_rejected_events group by 1"))
    assert reasons == ({"user_id was rounded by another tool": len(rounded)} if rounded else {})


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_of_events_with_one_id_the_same_is_kept_in_any_order_of_files(warehouse, order):
    """First received; where that is not known, first happened, then by name: never by file."""
    rows = [
        {"event_id": "a", "event_name": "second", "event_time": "2026-01-01T10:00:00Z"},
        {"event_id": "a", "event_name": "first", "event_time": "2026-01-01T10:00:00Z"},
        {"event_id": "a", "event_name": "early", "event_time": "2026-01-01T11:00:00Z"},
    ]
    for number, place in enumerate(order):
        path = warehouse.folder / f"events/{number}.ndjson"
        path.write_text(json.dumps({"user_id": "u", **rows[place]}) + "\n")
    load(warehouse, "*.ndjson")
    assert warehouse.query("select event_name from stg_events") == [("first",)]
