"""dbt that ends with its parent: `python -m foretell.pipeline.dbt_child`, arguments of dbt."""

from __future__ import annotations

from foretell.system.child_process import end_with_parent
from foretell.system.file_modes import restrict_files


def main() -> None:
    """Run dbt's own command."""
    end_with_parent()
    restrict_files()
    from dbt.cli.main import cli

    cli()


if __name__ == "__main__":
    main()
