"""`foretell new-prediction`: definitions that dbt accepts, of events that are there."""

import duckdb
import pytest
import yaml

from foretell.errors import ForetellError
from foretell.new_prediction import Answers, definitions_folder, exposure, write_prediction
from foretell.new_project import init_project
from foretell.settings import read_settings


@pytest.fixture
def settings(tmp_path):
    """Return settings of a project whose copy knows two event types."""
    init_project(tmp_path / "shop")
    (tmp_path / "shop/warehouse").mkdir()
    with duckdb.connect(str(tmp_path / "shop/warehouse/shop_published.duckdb")) as copy:
        copy.execute("create schema foretell")
        copy.execute("""
            create table foretell.taxonomy_event_types as
            select * from (values ('view', 1), ('Order "Completed"', 2), (null, 3)) as t(event_name, volume_rank)
        """)
    return read_settings({}, tmp_path / "shop")


def test_the_file_is_in_the_project_and_says_what_was_asked(settings):
    answers = Answers("orders_again", 'Order "Completed"', 14, at_least=2, cohort_event="view")
    path = write_prediction(settings, answers)
    assert path == settings.project.folder / "predictions/orders_again.yml"
    (found,) = yaml.safe_load(path.read_text())["exposures"]
    assert found["name"] == "orders_again"
    assert found["label"] == 'Will do “Order "Completed"” at least 2 times within 14 days'
    assert found["config"]["meta"]["prediction"] == {
        "cohort": [{"event": "view", "within_days": 28}],
        "outcome": {"event": 'Order "Completed"', "at_least": 2},
        "horizon_days": 14,
    }


def test_staying_away_is_an_outcome_too():
    found = exposure(Answers("silent", "any", 30, is_not_done=True))
    assert found["label"] == "Will not come back within 30 days"
    assert found["config"]["meta"]["prediction"]["outcome"] == {"event": "any", "not_done": True}


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (Answers("buys", "viw"), 'no event is called "viw"; the nearest is "view"'),
        (Answers("buys", "view", cohort_event="nope"), 'no event is called "nope"'),
        (Answers("buys", "{{ 1/0 }}"), "has the marks of Jinja"),
        (Answers("../buys", "view"), "is no name for a prediction"),
        (Answers("", "view"), "is no name for a prediction"),
        (Answers("first", "view"), "first.yml is there already"),
    ],
)
def test_what_cannot_be_a_definition_is_refused_and_nothing_written(settings, answers, message):
    folder = settings.project.folder / "predictions"
    before = sorted(folder.iterdir())
    with pytest.raises(ForetellError, match=message):
        write_prediction(settings, answers)
    assert sorted(folder.iterdir()) == before


def test_the_folder_is_a_model_path_of_the_project(tmp_path):
    (tmp_path / "dbt_project.yml").write_text(
        "name: jaffle\nprofile: jaffle\nmodel-paths: [dbt/models]\n"
    )
    (tmp_path / "profiles.yml").write_text(
        "jaffle: {target: d, outputs: {d: {type: duckdb, path: j.duckdb, schema: s, threads: 1}}}"
    )
    init_project(tmp_path)
    assert definitions_folder(read_settings({}, tmp_path)) == tmp_path / "dbt/models/predictions"
