"""What a person sees of dbt's log: finished nodes, progress inside long ones, one clear error."""

import json
import subprocess
import sys

from models_ml import dbt_command
from models_ml.dbt_command import DbtLog, _lines_or_silence, explain


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


def test_after_a_silence_what_runs_is_told(monkeypatch):
    seconds, lines = [0.0], []
    monkeypatch.setattr(dbt_command.time, "monotonic", lambda: seconds[0])
    log = DbtLog(lines.append)

    def at(second, entry):
        seconds[0] = second
        log.read(json.dumps(entry) if entry else "")

    at(0, None)  # nothing runs
    at(1, node("LogStartLine", "stg_checked_events"))
    at(11, None)
    at(15, node("LogStartLine", "unique_features"))
    at(21, None)
    at(22, node("LogTestResult", "unique_features"))
    at(40, None)
    assert lines == [
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


def test_a_view_too_long_for_derby_is_said_in_words():
    error = (
        "HiveException: MetaException(message: A truncation error was encountered "
        "trying to shrink LONG VARCHAR 'with final as (select' to length 32700.)"
    )
    assert "name fewer" in explain([error])
