"""Candidates that the project adds to Foretell's own: setting `candidates`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from foretell.config import DEFAULT, resolve
from foretell.errors import ForetellError
from foretell.learn.candidates import Candidate
from foretell.learn.configured import parse_candidates
from foretell.project import DBT_PROJECT, find_project


def read_candidates(
    environment: Mapping[str, str] = os.environ, project: Path | None = None
) -> tuple[Candidate, ...]:
    """Return the candidates of the setting; none by default.

    Args:
        environment: FORETELL_CANDIDATES, a list as JSON, takes precedence over the project.
        project: Folder of dbt_project.yml; default: that of the current project.

    Raises:
        ForetellError: If a value cannot be used, naming it.
    """
    project = project or find_project(environment, Path.cwd()).dbt_folder
    setting = resolve(environment, project, {})["candidates"]
    if setting.source == DEFAULT:
        return ()
    if setting.source == DBT_PROJECT:
        return parse_candidates(setting.value, f"{DBT_PROJECT}: candidates")
    try:
        return parse_candidates(json.loads(setting.value), setting.source)
    except json.JSONDecodeError as error:
        raise ForetellError(f"{setting.source} is not JSON ({error}): {setting.value}") from None
