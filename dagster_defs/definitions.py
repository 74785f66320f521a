"""The definitions that Dagster loads (`make ui`). Assembles only: each part has its own module."""

import dagster as dg

from dagster_foretell.build import build_definitions

defs = dg.Definitions.merge(
    build_definitions(),
    # In one process: a process per step would spend 4 s on imports, and could not run in
    # parallel, as the steps write to one file one after the other.
    dg.Definitions(executor=dg.in_process_executor),
)
