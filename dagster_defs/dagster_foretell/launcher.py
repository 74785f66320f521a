"""A launcher that ends runs whose process is gone, so they do not block others (dagster.yaml)."""

from __future__ import annotations

import dagster as dg

# These two have no public name; Dagster's own launchers import them from here.
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from foretell.system.child_process import is_alive


class LocalRunLauncher(dg.DefaultRunLauncher):
    """Dagster's launcher of local processes, with a check whether a run's process still exists.

    Without the check a run stays started after a power cut or a kill, and all later runs wait for
    it. For one machine only: process ids are not valid on another.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Return True: run monitoring may call check_run_worker_health."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether the process that the run wrote into its log is alive."""
        records = self._instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        notes = [
            record.dagster_event.engine_event_data.metadata
            for record in records
            if record.dagster_event
        ]
        pids = {int(str(note["pid"].value)) for note in notes if "pid" in note}
        if not pids or any(is_alive(pid) for pid in pids):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the process of this run is gone")
