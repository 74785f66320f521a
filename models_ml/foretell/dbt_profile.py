"""The warehouse of a dbt project, from its profile, as dbt reads it."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foretell.errors import ForetellError
from foretell.project import DBT_PROJECT

ENGINES = ("duckdb", "spark")


@dataclass(frozen=True)
class Profile:
    """The parts of a profile that Foretell needs.

    Attributes:
        engine: duckdb or spark.
        path: The DuckDB file; None on Spark.
        schema: Of the target; models have it, or it is the first part of their schema's name.
        spark_settings: Of the Spark session.
    """

    engine: str
    path: Path | None
    schema: str
    spark_settings: Mapping[str, str] = field(default_factory=dict)


def read_profile(folder: Path, environment: Mapping[str, str]) -> Profile:
    """Return the profile that dbt would use for a project.

    Args:
        folder: Of dbt_project.yml; relative paths of the profile start there.
        environment: With DBT_PROFILES_DIR and DBT_TARGET, and what the profile reads with env_var.

    Raises:
        ForetellError: If there is no such profile, or its warehouse is none that Foretell runs on.
    """
    # Imports take a second. dagster-dbt reads profiles by the same functions.
    from dbt.config.runtime import load_profile
    from dbt.flags import set_from_args
    from dbt_common.context import set_invocation_context
    from dbt_common.exceptions import DbtBaseException

    profiles = environment.get("DBT_PROFILES_DIR") or (
        str(folder) if (folder / "profiles.yml").is_file() else str(Path.home() / ".dbt")
    )
    set_invocation_context({**os.environ, **environment})
    set_from_args(Namespace(PROFILES_DIR=profiles, PROJECT_DIR=str(folder)), None)
    try:
        profile = load_profile(str(folder), {}, None, environment.get("DBT_TARGET"))
    except DbtBaseException as error:
        reason = " ".join(str(error).split())
        raise ForetellError(f"{folder / DBT_PROJECT}: dbt finds no profile: {reason}") from error
    credentials: Any = profile.credentials
    if credentials.type not in ENGINES:
        raise ForetellError(
            f"{folder / DBT_PROJECT}: the profile's warehouse is {credentials.type}; "
            f"Foretell runs on {' and '.join(ENGINES)}"
        )
    if credentials.type == "spark":
        settings = dict(credentials.server_side_parameters)
        return Profile("spark", None, credentials.schema, settings)
    if "://" in credentials.path or credentials.path.startswith((":memory:", "md:")):
        raise ForetellError(
            f"{folder / DBT_PROJECT}: the profile's path is {credentials.path}; "
            "Foretell needs a DuckDB file"
        )
    return Profile("duckdb", (folder / credentials.path).resolve(), credentials.schema)
