"""Where the dbt project lies: dbt_project.yml, profiles.yml, models, macros and seeds."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
