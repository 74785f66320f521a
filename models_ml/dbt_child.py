"""dbt that ends with its parent: `python -m models_ml.dbt_child ARGUMENTS`, as dbt takes them."""

from __future__ import annotations

from models_ml.child_process import end_with_parent
from models_ml.file_modes import restrict_files


def main() -> None:
    """Run dbt's own command."""
    end_with_parent()
    restrict_files()
    from dbt.cli.main import cli

    cli()


if __name__ == "__main__":
    main()
