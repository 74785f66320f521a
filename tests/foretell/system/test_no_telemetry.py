"""Switches against telemetry."""

from __future__ import annotations

from foretell.system.no_telemetry import OFF, disable_telemetry


def test_what_somebody_sets_stays():
    environment = {"ORT_DISABLE_TELEMETRY": "0"}
    disable_telemetry(environment)
    assert environment == {**OFF, "ORT_DISABLE_TELEMETRY": "0"}
