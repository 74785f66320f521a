"""The address of a Spark Connect server, and whether it answers."""

from __future__ import annotations

import pytest

from foretell import settings
from foretell.errors import ForetellError
from foretell.settings import read_settings
from foretell.warehouse.spark_server import check_server, server_address


@pytest.mark.parametrize(
    "remote", ["host:15002", "sc://", "sc://host:many", "http://host/;token=x"]
)
def test_a_wrong_address_of_a_server_is_refused_without_its_secret(remote, tmp_path, monkeypatch):
    with pytest.raises(ForetellError, match="no address of Spark Connect") as refused:
        server_address(remote)
    assert "token" not in str(refused.value)
    monkeypatch.setattr(settings.importlib.util, "find_spec", lambda name: "there")
    with pytest.raises(ForetellError, match="no address of Spark Connect"):
        read_settings({"FORETELL_TARGET": "spark", "SPARK_REMOTE": remote}, tmp_path)


def test_a_server_that_does_not_answer_is_named_at_once(monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "sc://localhost:1/;token=secret")
    with pytest.raises(ForetellError, match="no Spark Connect server at localhost:1 ") as refused:
        check_server()
    assert "secret" not in str(refused.value)
