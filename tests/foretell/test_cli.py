"""What can be mended ends in one line and exit code 1."""

import os
import signal
import subprocess
import sys

import duckdb
import pytest

from foretell import cli
from foretell.errors import ForetellError, HeldBack


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ForetellError("no events at x"), "foretell: no events at x\n"),
        (duckdb.IOException("disk full\nmore"), "foretell: the warehouse reported: disk full\n"),
        (
            duckdb.BinderException('Referenced column "expected_value" not found!\nmore'),
            'foretell: the warehouse reported: Referenced column "expected_value" not found!; if another '
            "version of Foretell built this warehouse, `foretell run` brings it up to date or says what to do\n",
        ),
        (OSError("no room"), "foretell: no room\n"),
    ],
)
def test_an_error_is_one_line(monkeypatch, capsys, error, message):
    def fail():
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (HeldBack("readers keep the copy before"), 3, "readers keep the copy before"),
        (MemoryError(), 1, "FORETELL_MEMORY_LIMIT is 50%"),
        (
            duckdb.OutOfMemoryException("Out of Memory Error: failed to pin block"),
            1,
            "FORETELL_MEMORY_LIMIT",
        ),
        (OSError(28, "No space left on device"), 1, "the disk is full"),
        (
            ForetellError("cannot read https://a:secret@host/x?sig=abc"),
            1,
            "https://***@host/x?sig=***",
        ),
    ],
)
def test_every_end_has_its_code_and_a_message_that_helps(monkeypatch, capsys, error, code, message):
    def fail():
        raise error

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.delenv("FORETELL_MEMORY_LIMIT", raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_in_one_line(number, code):
    script = "from foretell import cli; import time; cli.app = lambda: (print('on', flush=True), time.sleep(60)); cli.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "on\n"
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == code
    assert errors == "foretell: stopped; readers still see the copy published before\n"


@pytest.fixture(autouse=True)
def process_settings():
    """What main sets for its process is set back."""
    before = os.umask(0o022), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    yield
    os.umask(before[0])
    signal.signal(signal.SIGINT, before[1])
    signal.signal(signal.SIGTERM, before[2])
