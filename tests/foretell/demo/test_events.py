"""The simulated file as a pipeline meets it. Long: every test reads one simulation, made once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from foretell.demo.behaviour import HORIZONS
from foretell.demo.events import (
    COLUMNS,
    DemoData,
    DemoSettings,
    simulate,
    write_demo_events,
)
from foretell.demo.sessions import HOSTILE_NAMES
from foretell.errors import ForetellError

SMALL = DemoSettings(users=500, weeks=12)
# What a pipeline must refuse, found without the simulator's code.
CHECKED = """
    create table checked as
    select
        *,
        try_cast(event_time as timestamptz) at time zone 'UTC' as happened_at,
        try_cast(received_at as timestamptz) at time zone 'UTC' as arrived_at,
        coalesce(
            event_name is null
            or (user_id is null and device_id is null)
            or happened_at is null
            or happened_at > arrived_at + interval 1 day
            or not json_valid(event_properties),
            false
        ) as is_unusable
    from (select row_number() over () as row_number, * from events);
    create view usable as select * from checked where not is_unusable;
"""


@pytest.fixture(scope="module")
def small() -> DemoData:
    return simulate(SMALL)


@pytest.fixture(scope="module")
def medium() -> DemoData:
    return simulate(DemoSettings(users=5_000, weeks=12))


def check(data: DemoData) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.register("events", data.events)
    connection.register("truth", data.truth)
    connection.execute(CHECKED)
    return connection


@pytest.fixture(scope="module")
def shop(medium) -> duckdb.DuckDBPyConnection:
    return check(medium)


@pytest.fixture(scope="module")
def recent(medium, shop) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By prediction: p_true and outcome of its cohort, users with an event in the last 28 days."""
    rows = shop.execute(
        """
        select prediction, p_true, outcome
        from truth
        semi join (select user_id from usable where happened_at >= $as_of - interval 28 day
            and happened_at < $as_of) as active using (user_id)
        left join (select user_id, last(user_properties ->> 'plan' order by happened_at) as plan
            from usable where user_properties is not null and happened_at < $as_of
            group by user_id) as plans using (user_id)
        where prediction <> 'upgrades_within_14_days' or plan <> 'pro'
        """,
        {"as_of": medium.summary.as_of},
    ).fetchnumpy()
    names = rows["prediction"]
    return {
        name: (rows["p_true"][names == name], rows["outcome"][names == name]) for name in HORIZONS
    }


def test_same_settings_same_data_and_another_seed_another(small):
    again = simulate(SMALL)
    assert again.events.equals(small.events)
    assert again.truth.equals(small.truth)
    assert again.summary == small.summary
    assert not simulate(replace(SMALL, seed=8)).events.equals(small.events)


def test_columns_are_the_contract_and_all_text(small):
    assert tuple(small.events.column_names) == COLUMNS
    assert set(small.events.schema.types) == {pa.string()}
    names = ("user_id", "prediction", "as_of", "p_true", "outcome")
    types = (pa.string(), pa.string(), pa.timestamp("us"), pa.float64(), pa.int8())
    assert small.truth.schema == pa.schema(list(zip(names, types, strict=True)))


def test_truth_has_every_signed_up_user_once_per_prediction(small):
    connection = check(small)
    ((n_rows, n_distinct, n_seen, n_missing),) = connection.execute(
        """
        with seen as (
            select distinct user_id from usable where user_id is not null and happened_at < ?
        )
        select
            count(*), count(distinct (user_id, prediction)),
            count(*) filter (user_id in (from seen)) / 3,
            (select count(*) from seen anti join truth using (user_id))
        from truth
        """,
        [small.summary.as_of],
    ).fetchall()
    assert n_rows == n_distinct == 3 * len(set(small.truth["user_id"].to_pylist()))
    assert n_missing == 0
    assert 0.9 * SMALL.users < n_seen <= n_rows / 3 <= SMALL.users


def test_size_and_event_types(medium, shop):
    assert (
        45 < medium.summary.n_events / 5_000 < 80
    )  # linear: 107 in 20 weeks, most users still new
    names = {name for (name,) in shop.execute("select distinct event_name from usable").fetchall()}
    assert 40 <= len(names) <= 55
    assert set(HOSTILE_NAMES) < names


def test_properties_hold_each_kind_of_value(shop):
    def types(event: str, key: str) -> set[str]:
        sql = "select distinct json_type(event_properties, ?) from usable where event_name = ?"
        return {kind for (kind,) in shop.execute(sql, [f"$.{key}", event]).fetchall()}

    assert types("purchase", "amount") >= {"DOUBLE", "VARCHAR"}
    assert types("video_watched", "is_completed") == {"BOOLEAN"}
    assert types("app_open", "app_version") == {"VARCHAR"}
    ((n_long, median, top, n_orders, n_purchases),) = shop.execute(
        """
        select
            (select count(*) from usable where length(event_properties) > 10000),
            median(amount), quantile_cont(amount, 0.99), count(distinct order_id), count(*)
        from (
            select
                cast(event_properties ->> 'amount' as double) as amount,
                event_properties ->> 'order_id' as order_id
            from usable where event_name = 'purchase'
        )
        """
    ).fetchall()
    assert n_long >= 3
    assert top > 8 * median
    assert n_orders > 0.97 * n_purchases


def test_user_properties_change_over_time(shop):
    changes = shop.execute(
        """
        select
            max(n_plans), max(n_countries), max(n_channels)
        from (
            select
                count(distinct user_properties ->> 'plan') as n_plans,
                count(distinct user_properties ->> 'country') as n_countries,
                count(distinct user_properties ->> 'acquisition_channel') as n_channels
            from usable where user_properties is not null group by user_id
        )
        """
    ).fetchone()
    assert changes == (3, 2, 1)


def test_unusable_rows_are_counted_and_are_extra_rows(medium, shop):
    ways = shop.execute(
        """
        select
            count(*) filter (is_unusable),
            count(*) filter (event_time = 'yesterday'),
            count(*) filter (event_time = '0000-13-45'),
            count(*) filter (event_name is null),
            count(*) filter (user_id is null and device_id is null),
            count(*) filter (not json_valid(event_properties)),
            count(*) filter (happened_at > arrived_at + interval 39 day)
        from checked
        """
    ).fetchone()
    assert ways[0] == sum(ways[1:]) == medium.summary.n_unusable
    assert min(ways[1:]) >= 5
    assert 0.0005 < medium.summary.n_unusable / medium.summary.n_events < 0.002
    shared = "select count(*) from checked semi join usable using (event_id) where is_unusable"
    assert shop.execute(shared).fetchone() == (0,)


def test_duplicates_are_the_same_row_received_later(medium, shop):
    n_again, n_distinct_again, n_earlier = shop.execute(
        """
        select count(*) - count(distinct key), count(distinct (key, same)) - count(distinct key),
            count(*) filter (place > 1 and arrived_at <= first_arrived_at)
        from (
            select
                *,
                row_number() over (partition by key order by row_number) as place,
                min(arrived_at) over (partition by key) as first_arrived_at
            from (select *, coalesce(event_id, same) as key from (select *, concat_ws('|', user_id,
                device_id, event_name, event_time, event_properties, user_properties) as same
                from usable))
        )
        """
    ).fetchone()
    assert n_again == medium.summary.n_duplicates
    assert 0.012 < n_again / medium.summary.n_events < 0.018
    assert (n_distinct_again, n_earlier) == (0, 0)


def test_file_is_in_order_of_receipt_with_late_and_local_rows(medium, shop):
    n_unordered, n_early, n_late, n_very_late, n_local, n_no_id = shop.execute(
        """
        select
            (select count(*) from (select arrived_at < lag(arrived_at) over (order by row_number)
                as is_unordered from checked) where is_unordered),
            count(*) filter (arrived_at < happened_at),
            count(*) filter (arrived_at > happened_at + interval 1 day),
            count(*) filter (arrived_at > happened_at + interval 126 hour),
            count(*) filter (event_time like '%+02:00'),
            count(*) filter (event_id is null)
        from usable
        """
    ).fetchone()
    assert (n_unordered, n_early, n_very_late) == (0, 0, 0)
    assert 0 <= n_late - medium.summary.n_late < 0.03 * n_late  # re-sent copies of late rows
    assert 0.015 < n_late / medium.summary.n_events < 0.025
    assert 0 < n_local < 0.01 * medium.summary.n_events
    assert 0 < n_no_id < 0.01 * medium.summary.n_events


@pytest.mark.parametrize("settings", [SMALL, DemoSettings(users=5, weeks=1)])
def test_last_full_hour_seen_ends_at_as_of(settings):
    data = simulate(settings)
    first, last = (
        check(data).execute("select min(happened_at), max(happened_at) from usable").fetchone()
    )
    as_of = datetime.fromisoformat(settings.start) + timedelta(weeks=settings.weeks)
    assert data.summary.as_of == as_of == data.truth["as_of"][0].as_py()
    assert last.replace(minute=0, second=0, microsecond=0) == as_of
    assert (data.summary.first_time, data.summary.last_time) == (first, last)
    assert first >= datetime.fromisoformat(settings.start)


def test_devices_are_anonymous_until_somebody_logs_in(medium, shop):
    shop.execute(
        """
        create temp table devices as
        select
            device_id,
            min(happened_at) filter (user_id is not null) as known_at,
            arg_min(event_name, happened_at) filter (user_id is not null) as first_known_event,
            count(*) filter (user_id is null) as n_anonymous,
            count(distinct user_id) as n_owners
        from usable group by device_id
        """
    )
    n_anonymous, n_without_login, n_never, n_owners = shop.execute(
        """
        select
            sum(n_anonymous),
            count(*) filter (n_anonymous > 0 and first_known_event not in ('signup', 'login')),
            count(*) filter (known_at is null),
            max(n_owners)
        from devices
        """
    ).fetchone()
    assert n_anonymous == medium.summary.n_anonymous > 0.01 * medium.summary.n_events
    assert (n_without_login, n_owners) == (0, 1)
    assert 0.005 * 5000 < n_never < 0.05 * 5000
    n_after, n_conversions = shop.execute(
        """
        select
            count(*) filter (happened_at > known_at),
            count(*) filter (event_name in ('purchase', 'upgrade', 'downgrade', 'trial_started'))
        from usable inner join devices using (device_id) where user_id is null
        """
    ).fetchone()
    assert n_after < 0.005 * n_anonymous  # two sessions at once on one device
    assert n_conversions == 0


def test_some_users_have_two_devices(shop):
    (share,) = shop.execute(
        """
        select avg(case when n_devices = 2 then 1 else 0 end)
        from (select count(distinct device_id) as n_devices from usable
            where user_id is not null group by user_id)
        """
    ).fetchone()
    assert 0.1 < share < 0.4


def test_outcomes_agree_with_true_probabilities_and_with_the_events_after_as_of(medium, shop):
    for name in HORIZONS:
        rows = medium.truth.filter(pa.compute.equal(medium.truth["prediction"], name))
        p, outcome = rows["p_true"].to_numpy(), rows["outcome"].to_numpy()
        assert abs(outcome.mean() - p.mean()) < 4 * np.sqrt((p * (1 - p)).sum()) / p.size
    silent = shop.execute(
        """
        select count(*), count(*) filter (outcome = 1)
        from usable inner join truth using (user_id)
        where happened_at >= ? and prediction = 'silent_for_14_days'
        """,
        [medium.summary.as_of],
    ).fetchone()
    assert silent[0] > 0
    assert silent[1] == 0


@pytest.mark.parametrize(
    ("prediction", "rates", "aurocs"),
    [
        ("buys_within_7_days", (0.10, 0.15), (0.80, 0.88)),
        ("silent_for_14_days", (0.25, 0.35), (0.85, 0.91)),
        ("upgrades_within_14_days", (0.005, 0.015), (0.75, 0.92)),
    ],
)
def test_rates_are_sensible_and_the_oracle_is_neither_trivial_nor_hopeless(
    recent, prediction, rates, aurocs
):
    p, _ = recent[prediction]
    assert p.size > 2_000
    assert rates[0] < p.mean() < rates[1]
    # Expected over futures: each user counts as both outcomes, by probability.
    both = np.repeat([1, 0], p.size), np.tile(p, 2), np.concatenate([p, 1 - p])
    assert aurocs[0] < roc_auc_score(both[0], both[1], sample_weight=both[2]) < aurocs[1]


def test_upgrades_are_below_one_percent_of_active_users_a_week(shop):
    (share,) = shop.execute(
        """
        select count(distinct (user_id, week)) filter (event_name = 'upgrade')
            / count(distinct (user_id, week))
        from (select *, date_trunc('week', happened_at) as week from usable)
        where user_id is not null
        """
    ).fetchone()
    assert 0.002 < share < 0.01


def test_files_are_written_apart_and_writing_again_replaces_them(tmp_path, small):
    folder = tmp_path / "demo"
    first = write_demo_events(folder, replace(SMALL, seed=8))
    assert write_demo_events(folder, SMALL) == small.summary != first
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["events.parquet", "truth/truth.parquet"]
    assert pq.read_table(folder / "events.parquet").equals(small.events)
    assert pq.read_table(folder / "truth/truth.parquet").equals(small.truth)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"users": 0}, "users=0"),
        ({"weeks": -1}, "weeks=-1"),
        ({"start": "soon"}, "'soon' is not an ISO time"),
        ({"start": "2026-01-06T00:00:00"}, "not a Monday"),
        ({"start": "2026-01-05T01:00:00"}, "at midnight"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(wrong, message):
    with pytest.raises(ForetellError, match=message):
        simulate(replace(SMALL, **wrong))
