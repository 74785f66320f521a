"""Puts the dbt project into the wheel: hatchling runs this when it builds one."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DBT = ("dbt_project.yml", "profiles.yml", "dbt_project", "seeds", "tests/dbt")


class WheelFiles(BuildHookInterface[Any]):
    """The files that a clone has at its root."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them; an editable installation reads the clone's own."""
        if version != "editable":
            files = {f"{self.root}/{name}": f"foretell/dbt/{name}" for name in DBT}
            files[f"{self.root}/.dagster/dagster.yaml"] = "dagster_foretell/dagster.yaml"
            build_data["force_include"].update(files)
