"""The best that events can tell lies between the base rate and the truth, and is right on average."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.quality.attainable import write_attainable
from foretell.demo.behaviour import HORIZONS
from foretell.demo.events import DemoSettings, write_demo_events

SETTINGS = DemoSettings(users=400, weeks=6)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attainable")
    write_demo_events(folder, SETTINGS)
    table = pq.read_table(write_attainable(folder / "truth/truth.parquet", SETTINGS))
    return {
        name: np.array(
            [
                (row["p_attainable"], row["p_true"])
                for row in table.to_pylist()
                if row["prediction"] == name and row["p_attainable"] is not None
            ]
        ).T
        for name in HORIZONS
    }


@pytest.mark.parametrize("name", HORIZONS)
def test_it_is_the_mean_of_the_truth_given_the_events(known, name):
    p, p_true = known[name]
    error = p_true - p
    for some in (p < np.median(p), p >= np.median(p)):
        z = error[some].mean() / (error[some].std() / np.sqrt(some.sum()))
        assert abs(z) < 3.5


@pytest.mark.parametrize("name", HORIZONS)
def test_nothing_expects_less_than_the_truth_and_it_beats_the_base_rate(known, name):
    p, p_true = known[name]

    def expected(q):
        q = np.clip(q, 1e-12, 1 - 1e-12)
        return -(p_true * np.log(q) + (1 - p_true) * np.log1p(-q)).mean()

    assert expected(p_true) < expected(p) < expected(np.full(len(p), p_true.mean()))


def test_users_who_are_left_out_stay_unknown(known):
    assert 100 < known["silent_for_14_days"].shape[1] < SETTINGS.users
