"""Foretell's way, second step, as features are stored: users and event types stay numbers."""

from __future__ import annotations

from benchmarks.peers.task import read_task
from benchmarks.peers.with_duckdb_features import WEEKS, count

if __name__ == "__main__":
    count(read_task("duckdb"), WEEKS)
