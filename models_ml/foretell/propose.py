"""Proposes predictions that some events can carry: outcomes that neither all nor nobody reach."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from foretell.definition_files import JINJA
from foretell.errors import Progress
from foretell.new_prediction import ANY, Answers, exposure
from foretell.run import OURS, build_checked, check_usable, prepare
from foretell.settings import Settings
from foretell.warehouse.base import Warehouse
from foretell.warehouse.open import open_warehouse

HORIZON_DAYS, COHORT_DAYS, SILENT_DAYS = 7, 28, 14
MIN_USERS, MIN_RATE, MAX_RATE = 20, 0.005, 0.6
MAX_OUTCOMES = 2
# Names of what most teams want more of; among others the rate decides.
WANTED = re.compile(
    r"purchase|order|checkout|pay|subscri|upgrade|buy|bought|book|donat|deposit|convert",
    re.IGNORECASE,
)
OUTCOMES = """
    with now as (select max(as_of_hour) as hour from stg_as_of),
    cohort as (
        select distinct identity_key from stg_events
        where event_hour >= (select hour from now) - 24 * ($horizon + $cohort)
            and event_hour < (select hour from now) - 24 * $horizon
    )
    select
        events.event_name,
        count(distinct events.identity_key) as n_users,
        (select count(*) from cohort) as n_cohort
    from stg_events as events
    inner join cohort on events.identity_key = cohort.identity_key
    where events.event_hour >= (select hour from now) - 24 * $horizon
        and events.event_hour < (select hour from now)
    group by events.event_name
"""
# Of users active in the weeks before, those with no event since.
SILENT = """
    with now as (select max(as_of_hour) as hour from stg_as_of),
    last as (
        select
            identity_key,
            max(event_hour) >= (select hour from now) - 24 * $horizon as is_back
        from stg_events
        where event_hour >= (select hour from now) - 24 * ($horizon + $cohort)
            and event_hour < (select hour from now)
        group by identity_key
        having min(event_hour) < (select hour from now) - 24 * $horizon
    )
    select
        '' as event_name,
        count(*) filter (where not is_back) as n_users,
        count(*) as n_cohort
    from last
"""


@dataclass(frozen=True)
class Outcome:
    """What the users of the last weeks did in the week after.

    Attributes:
        event_name: The event type.
        n_users: Identities that did it.
        n_cohort: Identities that were active before.
    """

    event_name: str
    n_users: int
    n_cohort: int

    @property
    def rate(self) -> float:
        """Return the share that did it, 0 to 1."""
        return self.n_users / self.n_cohort if self.n_cohort else 0.0

    @property
    def is_predictable(self) -> bool:
        """Return whether there is something to tell apart, and a name that dbt takes for text."""
        is_enough = self.n_users >= MIN_USERS and MIN_RATE <= self.rate <= MAX_RATE
        return is_enough and not JINJA.search(self.event_name)


def propose_predictions(settings: Settings, progress: Progress) -> list[dict[str, Any]]:
    """Load the events and return definitions (exposures): outcomes, and staying away.

    Args:
        settings: Of the project; its events are loaded into its warehouse, where a run finds them.
        progress: Called with a line per step.

    Raises:
        ForetellError: If the events cannot be used.
    """
    prepare(settings, progress)
    selection = ["--select", f"+stg_events,{OURS}", f"+stg_as_of,{OURS}"]
    variables = {"scope": "everyone"}
    build_checked(settings, [*selection, "--indirect-selection", "cautious"], variables, progress)
    with open_warehouse(settings.location, read_only=True) as warehouse:
        check_usable(warehouse, settings)
        outcomes, silent = choose_outcomes(read_outcomes(warehouse)), read_silent(warehouse)
    proposed = [_exposure(each.event_name) for each in outcomes]
    if silent.is_predictable or not proposed:
        proposed.append(_silence())
    return proposed


def read_outcomes(warehouse: Warehouse) -> list[Outcome]:
    """Return every event type of the last week, with how many active users did it."""
    parameters = {"horizon": HORIZON_DAYS, "cohort": COHORT_DAYS}
    return [Outcome(**row) for row in warehouse.rows(OUTCOMES, parameters)]


def read_silent(warehouse: Warehouse) -> Outcome:
    """Return how many active users did nothing in the last two weeks."""
    (row,) = warehouse.rows(SILENT, {"horizon": SILENT_DAYS, "cohort": COHORT_DAYS})
    return Outcome(**row)


def choose_outcomes(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes worth a prediction: those with a wanted name first, then the rarest."""
    fit = [each for each in outcomes if each.is_predictable]
    fit.sort(key=lambda each: (not WANTED.search(each.event_name), each.rate, each.event_name))
    return fit[:MAX_OUTCOMES]


def as_yaml(exposures: Sequence[dict[str, Any]]) -> str:
    """Return definitions as a file of dbt."""
    body: str = yaml.safe_dump({"exposures": list(exposures)}, sort_keys=False, allow_unicode=True)
    return f"# Proposed by `foretell init`: keep, change or delete them.\n{body}"


def _exposure(event: str) -> dict[str, Any]:
    words = re.sub(r"[^a-z0-9]+", "_", event.lower()).strip("_")[:40] or "event"
    name = f"{words}_within_{HORIZON_DAYS}_days"
    return exposure(Answers(name, event, HORIZON_DAYS, within_days=COHORT_DAYS))


def _silence() -> dict[str, Any]:
    name = f"silent_for_{SILENT_DAYS}_days"
    return exposure(Answers(name, ANY, SILENT_DAYS, is_not_done=True, within_days=COHORT_DAYS))
