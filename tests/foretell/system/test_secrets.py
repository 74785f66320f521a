"""Passwords and keys are masked, what names the thing stays."""

import duckdb
import pytest
from jinja2 import Environment

from foretell.project import PACKAGE
from foretell.system.secrets import IN_URLS, mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://ann:s3cret@db:5432/shop", "postgres://***@db:5432/shop"),
        (
            "https://host/e.parquet?X-Amz-Credential=AK&X-Amz-Signature=ab12&part=3",
            "https://host/e.parquet?X-Amz-Credential=***&X-Amz-Signature=***&part=3",
        ),
        ("az://c/e.csv?sv=2024&sig=a%2Fb%3D", "az://c/e.csv?sv=2024&sig=***"),
        ('{"name": "web", "secret_key": "abc"}', '{"name": "web", "secret_key": ***}'),
        ("host=db password='a b' user=ann", "host=db password=*** user=ann"),
        ("host=db;Password=ab;user=ann", "host=db;Password=***;user=ann"),
    ],
)
def test_secrets_are_masked(text, masked):
    assert mask(text) == masked
    assert mask(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/day=2026-01-01/*.parquet",
        'no events at /data/events.csv; did you mean "event.csv"? set FORETELL_EVENTS',
        "max_value_counters: 50",
        "42 rows: event_time is not a time",
        "https://host:8080/path?page=2",
    ],
)
def test_everything_else_stays(text):
    assert mask(text) == text


def test_the_macro_has_the_same_rules():
    """Jinja in dbt, Python here: two languages, one list of rules, for DuckDB's expressions too."""
    text = (PACKAGE / "dbt_project/macros/loading/mask_text.sql").read_text()
    env = Environment(extensions=["jinja2.ext.do"])
    found = []
    env.globals["return"] = found.append
    env.from_string(text).module.mask_rules()
    (rules,) = found
    assert [(pattern, put.replace("$", "\\")) for pattern, put in rules] == list(IN_URLS)
    for text in (
        '[{"events": "https://ann:s3cret@host/e.csv?sig=ab&part=1", "name": "web"}]',
        "s3://bucket/*.parquet",
        "https://host/e.parquet?X-Amz-Credential=AK/1&X-Amz-Signature=ab12&part=3",
    ):
        masked = text
        for pattern, put in IN_URLS:
            ((masked,),) = duckdb.execute(
                "select regexp_replace(?, ?, ?, 'g')", [masked, pattern, put]
            ).fetchall()
        assert masked == mask(text)
