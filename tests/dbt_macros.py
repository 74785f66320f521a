"""The project's macros as functions, run by Jinja as dbt would."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from foretell.project import PACKAGE


class Returned(Exception):
    """What a macro of dbt returns; Jinja's own return text."""


class Refused(Exception):
    """dbt's compiler error."""


@contextmanager
def loaded(*patterns: str, **given: Any) -> Iterator[Any]:
    """Yield the macros of some files under dbt_project/macros, in a context with what is given."""
    folder = PACKAGE / "dbt_project/macros"
    files = sorted(path for pattern in patterns for path in folder.glob(pattern))
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])

    def give_back(value: Any) -> None:
        raise Returned(value)

    def refuse(message: str) -> None:
        raise Refused(message)

    environment.globals |= {
        "return": give_back,
        "exceptions": SimpleNamespace(raise_compiler_error=refuse),
        "tojson": lambda value, default=None, sort_keys=False: json.dumps(value, default=str),
        "fromjson": lambda text, default=None: json.loads(text),
        "modules": SimpleNamespace(re=re),
        **given,
    }
    invoke = jinja2.runtime.Macro._invoke

    def catch(self, arguments, autoescape):
        try:
            return invoke(self, arguments, autoescape)
        except Returned as returned:
            return returned.args[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.runtime.Macro, "_invoke", catch)
        yield environment.from_string("".join(path.read_text() for path in files)).module
