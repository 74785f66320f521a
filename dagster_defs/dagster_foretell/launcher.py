"""A run that a power cut or a kill ended must not hold up those after it (dagster.yaml)."""

from __future__ import annotations

import dagster as dg

# No public name for these two; Dagster's own launchers import them from here.
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from foretell.system.child_process import is_alive


class LocalRunLauncher(dg.DefaultRunLauncher):
    """Dagster's launcher of local processes, which besides notices that a run's process is gone.

    Dagster's own cannot tell and would keep such a run as started, and one run at a time waits for
    it. Right for one machine only: process ids mean nothing on another.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Say whether the process lives that the run wrote down in its log."""
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
