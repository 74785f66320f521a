"""What a person sees of dbt's log: finished nodes, progress inside long ones, one clear error."""

import json
import subprocess
import sys

import pytest

from foretell.pipeline import dbt as dbt_command
from foretell.pipeline.dbt import DbtLog, _lines_or_silence, explain


def read(entries):
    lines = []
    log = DbtLog(lines.append)
    for entry in entries:
        log.read(entry if isinstance(entry, str) else json.dumps(entry))
    return log.errors, lines


def node(kind, name):
    return {"info": {"name": kind, "level": "info"}, "data": {"node_info": {"node_name": name}}}


def test_progress_inside_a_model_is_passed_on():
    errors, lines = read([
        {"info": {"name": "JinjaLogInfo", "level": "info"}, "data": {"msg": "features_values: 3 of 9"}},
        {"info": {"name": "JinjaLogDebug", "level": "debug"}, "data": {"msg": "not for people"}},
        "no JSON",
        {
            "info": {"name": "LogModelResult", "level": "info"},
            "data": {"index": 2, "total": 7, "execution_time": 1.25, "node_info": {"node_name": "features_values"}},
        },
    ])  # fmt: skip
    assert lines == ["features_values: 3 of 9", "2/7 features_values 1.2 s"]
    assert errors == []


def test_after_a_silence_the_running_nodes_are_reported(monkeypatch):
    seconds, lines = [0.0], []
    monkeypatch.setattr(dbt_command.time, "monotonic", lambda: seconds[0])
    log = DbtLog(lines.append)

    def at(second, entry):
        seconds[0] = second
        log.read(json.dumps(entry) if entry else "")

    at(0, None)  # nothing runs yet
    at(1, node("LogStartLine", "stg_checked_events"))
    at(11, None)
    at(15, node("LogStartLine", "unique_features"))
    at(21, None)
    at(22, node("LogTestResult", "unique_features"))
    at(40, None)
    assert lines == [
        "dbt reads the project",
        "still at stg_checked_events for 10 s",
        "still at stg_checked_events for 20 s, unique_features for 6 s",
        "still at stg_checked_events for 39 s",
    ]


def test_a_silent_stream_gives_empty_lines_and_ends():
    script = "import time; print('a', flush=True); time.sleep(0.5); print('b')"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as one:
        got = list(_lines_or_silence(one.stdout, 0.1))
    assert [line for line in got if line] == ["a\n", "b\n"]
    assert "" in got[got.index("a\n") : got.index("b\n")]


def test_the_message_meant_for_people_wins():
    errors, _ = read([
        {"info": {"level": "error"}, "data": {"msg": "Runtime Error in model x\n  something technical"}},
        {"info": {"level": "error"}, "data": {"msg": "Error: Foretell: unknown event \"buz\"\nmore"}},
    ])  # fmt: skip
    assert explain(errors) == 'unknown event "buz"'


def test_a_view_too_long_for_derby_is_explained():
    error = (
        "HiveException: MetaException(message: A truncation error was encountered "
        "trying to shrink LONG VARCHAR 'with final as (select' to length 32700.)"
    )
    assert "use fewer" in explain([error])


def test_lines_that_are_no_json_are_the_cause_when_there_is_no_other():
    log = DbtLog(lambda line: None)
    for line in (
        "Traceback (most recent call last):",
        "PermissionError: [Errno 13] no: 'logs'",
        "42",
    ):
        log.read(line)
    assert log.explain("build", 1) == "dbt build failed: 42"
    log.read(json.dumps({"info": {"level": "error"}, "data": {"msg": "Runtime Error: this"}}))
    assert log.explain("build", 1) == "dbt build failed: Runtime Error: this"


def test_a_dbt_that_was_killed_is_reported():
    message = DbtLog(lambda line: None).explain("build", -9)
    assert message == "dbt build was ended by signal 9"


def test_memory_and_disk_are_reported_with_the_setting_that_helps(monkeypatch):
    monkeypatch.setenv("FORETELL_MEMORY_LIMIT", "1GB")
    memory = explain(
        ["Runtime Error in model x\n  Out of Memory Error: could not allocate block of size 1"]
    )
    assert "FORETELL_MEMORY_LIMIT is 1GB: set it higher" in memory
    disk = explain(["IO Error: Could not write file: No space left on device"])
    assert disk.startswith("the disk is full (")
    assert "FORETELL_SPILL" in disk


def test_dbt_ends_when_nobody_waits_for_it_any_more(tmp_path, monkeypatch):
    """A progress that raises, as Ctrl-C does, must not leave a process that writes."""
    folder = tmp_path / "foretell/pipeline"
    folder.mkdir(parents=True)
    script = "import json, time\nprint(json.dumps({'info': {'name': 'JinjaLogInfo'}, 'data': {'msg': 'a'}}), flush=True)\ntime.sleep(60)"
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    (folder / "dbt_child.py").write_text(script)
    started = []
    popen = subprocess.Popen

    def remember(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(dbt_command.subprocess, "Popen", remember)

    def stop(line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dbt_command.dbt_build(
            [], {"PATH": "", "DBT_TARGET_PATH": "", "FORETELL_PROJECT_DIR": str(tmp_path)}, {}, stop
        )
    assert started[0].poll() == -15
