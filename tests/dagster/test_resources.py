"""A Dagster run holds the warehouse's lock from its first step to its last; held back, it fails."""

import os

import dagster as dg
import pytest

from dagster_foretell.resources import readable_errors, settings_of_a_run
from foretell.errors import HeldBack
from foretell.settings import Settings
from foretell.system.run_lock import HELD, lock_path


def test_the_settings_of_a_run_hold_the_lock_between_its_steps(tmp_path):
    settings = Settings(events="", warehouse=tmp_path / "w.duckdb")
    held = []

    @dg.op
    def step(context: dg.OpExecutionContext, foretell_settings: dg.ResourceParam[Settings]) -> None:
        held.append(os.environ.get(HELD))

    @dg.job(
        resource_defs={"foretell_settings": settings_of_a_run(settings)},
        executor_def=dg.in_process_executor,
    )
    def twice() -> None:
        step.alias("first")()
        step.alias("second")()

    assert twice.execute_in_process().success
    assert held == [str(lock_path(settings.warehouse))] * 2
    assert HELD not in os.environ


def test_what_is_held_back_fails_with_its_reason():
    with pytest.raises(dg.Failure) as failed, readable_errors():
        raise HeldBack("readers keep the copy before; see https://ann:pw@host")
    assert failed.value.description == "readers keep the copy before; see https://***@host"
