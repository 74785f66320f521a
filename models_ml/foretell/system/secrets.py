"""Passwords and keys out of what people read: messages, logs, pages and tables.

The same rules stand in the macro `masked` (dbt_project/macros/loading/masked.sql); a test holds the
two together.
"""

from __future__ import annotations

import re

MASK = "***"
# Of a URL: user:password@, and the values of query keys that open something.
IN_URLS = (
    (r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@'\"]*:[^\s/@'\"]*@", rf"\1{MASK}@"),
    (
        r"(?i)([?&;](?:[a-z0-9_.-]*(?:sig|signature|token|secret|password|passwd|credential|key)"
        r"[a-z0-9_.-]*|pwd|auth|code)=)[^&;\s'\"]+",
        rf"\1{MASK}",
    ),
)
# Of connection strings and settings: password=…, "secret": "…".
IN_SETTINGS = (
    (
        r"(?i)\b([a-z0-9_.-]*(?:password|passwd|secret|token(?!s)|api_?key|access_?key|credentials?|"
        r"private_?key|connection_?string)[a-z0-9_.-]*['\"]?\s*[=:]\s*)"
        r"(?:'[^']*'|\"[^\"]*\"|[^\s,;&'\"{}\[\]]+)",
        rf"\1{MASK}",
    ),
)
RULES = tuple((re.compile(pattern), put) for pattern, put in IN_URLS + IN_SETTINGS)


def mask(text: str) -> str:
    """Return a text with passwords and keys replaced by ***.

    Args:
        text: Anything for people, e.g. "cannot read https://u:pw@host/e.csv?sig=abc".
    """
    for pattern, put in RULES:
        text = pattern.sub(put, text)
    return text
