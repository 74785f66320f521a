"""What can be mended ends in one line and exit code 1."""

import duckdb
import pytest

from models_ml import cli
from models_ml.errors import ForetellError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ForetellError("no events at x"), "foretell: no events at x\n"),
        (duckdb.IOException("disk full\nmore"), "foretell: the warehouse answered: disk full\n"),
        (
            duckdb.BinderException('Referenced column "expected_value" not found!\nmore'),
            'foretell: the warehouse answered: Referenced column "expected_value" not found!; if an older '
            "Foretell built this warehouse, `foretell run` brings it up to date\n",
        ),
        (OSError("no room"), "foretell: no room\n"),
    ],
)
def test_an_error_is_one_line(monkeypatch, capsys, error, said):
    def fail():
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == said
