"""Checks that the Spark Connect server of SPARK_REMOTE answers."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from foretell.errors import ForetellError

PORT = 15002
SECONDS_TO_WAIT = 20


def server_address(remote: str) -> tuple[str, int]:
    """Return host and port of an address like sc://host:15002/;token=secret.

    Raises:
        ForetellError: If it is no such address; the part after the host may be secret and is not shown.
    """
    parts = urlsplit(remote)
    try:
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        host = None
    if parts.scheme != "sc" or not host:
        raise ForetellError(
            f"SPARK_REMOTE={remote.split('/;')[0]} is no address of Spark Connect; "
            f"write e.g. sc://host:{PORT}"
        )
    return host, port


def check_server() -> None:
    """Refuse a server that does not answer: Spark's client would try for ten minutes, silently.

    Raises:
        ForetellError: Naming the address.
    """
    if remote := os.environ.get("SPARK_REMOTE"):
        host, port = server_address(remote)
        try:
            socket.create_connection((host, port), SECONDS_TO_WAIT).close()
        except OSError as error:
            raise ForetellError(
                f"no Spark Connect server at {host}:{port} ({error}); "
                "start it, or correct SPARK_REMOTE"
            ) from error
