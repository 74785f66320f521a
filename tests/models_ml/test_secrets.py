"""Passwords and keys are masked, what names the thing stays."""

import pytest

from models_ml.secrets import mask


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
        "max_value_tokens: 50",
        "42 rows: event_time is not a time",
        "https://host:8080/path?page=2",
    ],
)
def test_everything_else_stays(text):
    assert mask(text) == text
