"""What a person sees of dbt's log: finished nodes, progress inside long ones, one clear error."""

import json

from models_ml.dbt_command import _read, explain


def read(entries):
    errors, lines = [], []
    for entry in entries:
        _read(entry if isinstance(entry, str) else json.dumps(entry), errors, lines.append)
    return errors, lines


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
