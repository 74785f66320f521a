"""The asset graph of the demo, and what the jobs and schedules run, pinned."""

import json
import os
from pathlib import Path

import pytest

from dagster_defs.definitions import defs
from dagster_foretell.manifest import prepare_manifest
from foretell.pipeline.publish import PUBLISHED
from foretell.settings import read_settings

PINNED = Path(__file__).with_name("asset_graph.txt")


@pytest.fixture(scope="module")
def graph():
    return defs.resolve_asset_graph()


def test_graph_is_as_pinned(graph):
    """After a change that you want: FORETELL_PIN=1 pytest tests/dagster/test_graph.py."""
    lines = [
        f"{graph.get(key).group_name}: {key.to_user_string()} <- "
        + ", ".join(sorted(parent.to_user_string() for parent in graph.get(key).parent_keys))
        for key in graph.get_all_asset_keys()
    ]
    found = "\n".join(sorted(line.strip() for line in lines)) + "\n"
    if os.environ.get("FORETELL_PIN"):
        PINNED.write_text(found)
    assert found == PINNED.read_text()


def test_no_model_reads_from_a_later_folder():
    manifest = json.loads(prepare_manifest(read_settings()).read_text())
    models = {
        key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"
    }
    folder = {key: node["fqn"][1] for key, node in models.items()}
    later = [
        f"{models[key]['name']} ({folder[key]}) reads {models[read]['name']} ({folder[read]})"
        for key, node in models.items()
        for read in node["depends_on"]["nodes"]
        if read in models and folder[read] > folder[key]
    ]
    assert len(models) > 90
    assert later == []


def test_every_public_table_is_published_and_has_typed_columns():
    """Two are Parquet only, too large to be copied whole; of champions readers see models.status."""
    manifest = json.loads(prepare_manifest(read_settings()).read_text())
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    schemas = {(node["access"], node["schema"]) for node in models}
    assert schemas == {("public", "foretell"), ("private", "foretell_internal")}
    public = {node["name"]: node for node in models if node["access"] == "public"}
    assert set(public) == {*PUBLISHED, "user_features", "prediction_history", "champions"}
    untyped = [
        f"{name}.{column['name']}"
        for name, node in public.items()
        for column in node["columns"].values()
        if not column["data_type"]
    ]
    assert untyped == []
    loose = {name for name, node in public.items() if not node["config"]["contract"]["enforced"]}
    assert loose == {"champions"}


def test_all_that_opens_the_warehouse_shares_one_pool(graph):
    for name in ("daily", "hourly"):
        pools = {node.name: node.definition.pool for node in defs.resolve_job_def(name).graph.nodes}
        assert set(pools.values()) == {"warehouse"}, pools
