"""Nothing phones home: the telemetry of what Foretell is built on is off before it is imported.

Whoever sets one of these variables decides; only those that are unset are set.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

# onnxruntime 1.32 reads its variable when it is imported: then it would ask for its maker's event
# host and write a device id under ~/.cache. dbt and dlt read DO_NOT_TRACK. Dagster's is off in our
# dagster.yaml; its variable also covers instances of others.
OFF = {
    "ORT_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
}


def disable_telemetry(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set every variable that turns a dependency's telemetry off, unless somebody has set it.

    Args:
        environment: Of this process, which its children inherit.
    """
    for name, value in OFF.items():
        environment.setdefault(name, value)
