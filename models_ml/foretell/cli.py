"""The command `foretell`; long, as every command is here, a few lines that call its room."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import duckdb
import typer
from rich.console import Console

from foretell.errors import ForetellError, HeldBack, explain_resources
from foretell.project import PROJECT_DIR
from foretell.settings import Settings, in_effect, read_settings
from foretell.system.file_modes import restrict_files
from foretell.system.secrets import mask

app = typer.Typer(
    help="Calibrated behavioural predictions for every user, inside your warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(width=None if sys.stdout.isatty() else 150, soft_wrap=False)
AsOf = Annotated[
    str | None, typer.Option(help="The hour that counts as now (ISO, UTC), e.g. 2026-05-25T00:00.")
]
Select = Annotated[list[str] | None, typer.Option(help="Only this prediction; may be given again.")]
FullRefresh = Annotated[
    bool, typer.Option(help="Reload all events, also those that were too late.")
]
KeepLoaded = Annotated[
    bool,
    typer.Option(help="Keep the loaded events where a reload would lose some."),
]
ForgetGone = Annotated[
    bool, typer.Option(help="With --full-refresh: lose the events of deleted files.")
]
AcceptLate = Annotated[
    bool, typer.Option(help="Leave out, and count, a batch that is too late as a whole.")
]
Publish = Annotated[
    bool,
    typer.Option("--publish", help="Let a past hour replace the live scores."),
]
Accept = Annotated[bool, typer.Option("--accept", help="Publish even what a gate would hold back.")]
Reasons = Annotated[
    bool,
    typer.Option(
        help="Write reasons for all predictions; default: where a definition requests them."
    ),
]
ActiveOnly = Annotated[
    bool, typer.Option(help="Only users with an event since the last run (hourly refresh).")
]


def _use_project(folder: Path | None) -> None:
    if folder is not None:
        os.environ[PROJECT_DIR] = str(folder)


# Its callback does all; the commands themselves do not look at it.
ProjectDir = Annotated[
    Path | None,
    typer.Option(
        callback=_use_project,
        help="A dbt project with Foretell as a package; default: the nearest at or above here.",
    ),
]

# Errors of the engines on a table or column that is not there, and what is usually the cause.
LACKING = ("BinderException", "CatalogException", "AnalysisException")
UPGRADED = (
    "; if another version of Foretell built this warehouse, `foretell run` brings it up to date or "
    "says what to do"
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        console.print(f"foretell {version('foretell')}", highlight=False)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options before a command."""


@app.command()
def run(
    as_of: AsOf = None,
    select: Select = None,
    full_refresh: FullRefresh = False,
    reasons: Reasons = False,
    publish: Publish = False,
    accept: Accept = False,
    keep_loaded: KeepLoaded = False,
    forget_gone_files: ForgetGone = False,
    accept_late: AcceptLate = False,
    project_dir: ProjectDir = None,
) -> None:
    """Build the warehouse, train, score all users and publish."""
    settings = read_settings(as_of=as_of, publish=publish)
    loading = {
        "keep_loaded": keep_loaded,
        "forget_gone_files": forget_gone_files,
        "accept_late": accept_late,
    }
    _walk(
        settings,
        select,
        full_refresh=full_refresh,
        with_reasons=reasons,
        is_accepted=accept,
        loading=loading,
    )


@app.command()
def train(
    as_of: AsOf = None,
    select: Select = None,
    publish: Publish = False,
    accept: Accept = False,
    project_dir: ProjectDir = None,
) -> None:
    """Build the warehouse and train; scores stay as they are."""
    settings = read_settings(as_of=as_of, publish=publish)
    _walk(settings, select, with_scoring=False, is_accepted=accept)


@app.command()
def score(
    as_of: AsOf = None,
    select: Select = None,
    active_only: ActiveOnly = False,
    reasons: Reasons = False,
    publish: Publish = False,
    accept: Accept = False,
    project_dir: ProjectDir = None,
) -> None:
    """Build the warehouse and score with the present champions."""
    _walk(
        read_settings(as_of=as_of, publish=publish),
        select,
        with_training=False,
        scope="active" if active_only else "everyone",
        with_reasons=reasons,
        is_accepted=accept,
    )


@app.command()
def check_predictions(
    as_of: AsOf = None, select: Select = None, project_dir: ProjectDir = None
) -> None:
    """Show how many users each definition covers and how often its outcome happens."""
    from foretell.check_predictions import check_predictions as check
    from foretell.check_predictions import report

    settings = read_settings(as_of=as_of)
    with _progress() as progress:
        checks = check(settings, progress, select or [])
    console.print(report(checks))


@app.command()
def status(project_dir: ProjectDir = None) -> None:
    """Show every prediction: users, quality, model, and where the table is."""
    from foretell.report.status import status as read_status

    console.print(read_status(read_settings()))


@app.command()
def show(
    prediction: Annotated[str | None, typer.Argument(help="Only this one; default: each.")] = None,
    top: Annotated[int, typer.Option(min=1, help="Users per prediction.")] = 20,
    is_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    project_dir: ProjectDir = None,
) -> None:
    """Show the users most likely to do it, from the published copy."""
    from foretell.report.scores import read_scores, scores_json, scores_table

    rows = read_scores(read_settings(), prediction, top)
    if is_json:
        typer.echo(scores_json(rows))  # the console would wrap it
    else:
        console.print(scores_table(rows))


@app.command()
def card(
    prediction: Annotated[str | None, typer.Argument(help="Only this one; default: all.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; default: cards, beside the published tables.")
    ] = None,
    project_dir: ProjectDir = None,
) -> None:
    """Write model cards as Markdown and HTML: training data, quality, limits."""
    from foretell.report.card import published_cards, write_cards
    from foretell.run import select_predictions
    from foretell.warehouse.open import open_warehouse

    settings = read_settings()
    with open_warehouse(settings.location, read_only=True) as warehouse:
        predictions = select_predictions(warehouse, [prediction] if prediction else [])
        written = write_cards(warehouse, predictions, out or published_cards(settings))
    for path in written:
        console.print(str(path), markup=False, highlight=False, soft_wrap=True)
    if not written:
        raise ForetellError("no model yet: `foretell run` trains one")


@app.command()
def usage(
    sql: Annotated[Path | None, typer.Option(help="Folder of .sql files.")] = None,
    log: Annotated[
        str | None, typer.Option(help="Query log: a file, a glob, or a table of the warehouse.")
    ] = None,
    dbt_project: Annotated[
        Path | None, typer.Option(help="dbt project, compiled: its models and exposures.")
    ] = None,
    dialect: Annotated[
        str | None,
        typer.Option(
            help="SQL dialect, e.g. snowflake. Default: that of the log or project, else duckdb."
        ),
    ] = None,
    event_properties: Annotated[
        str,
        typer.Option(help="Name of this column in the queries; the same for the next two options."),
    ] = "event_properties",
    user_properties: str = "user_properties",
    event_name: str = "event_name",
    project_dir: ProjectDir = None,
) -> None:
    """Count which properties and event types people query, to choose features by."""
    from foretell.report.summary import usage_summary
    from foretell.system.run_lock import run_lock
    from foretell.usage.counts import fill_usage, top_properties
    from foretell.usage.logs import read_sources
    from foretell.usage.queries import Columns
    from foretell.warehouse.open import open_warehouse

    columns = Columns(event_properties, user_properties, event_name)
    path = read_settings().warehouse
    with (
        _progress() as progress,
        run_lock(path, "foretell usage", progress),
        open_warehouse(path) as warehouse,
    ):
        sources = read_sources(warehouse, sql, log, dbt_project, dialect, columns)
        counts = fill_usage(warehouse, sources, columns, progress)
        top = top_properties(warehouse)
    console.print(usage_summary(counts, top))


@app.command()
def inspect_source(
    path: Annotated[
        str, typer.Argument(help="Path or glob of raw files, e.g. 'export/*.json.gz'.")
    ],
) -> None:
    """Recognise the format of raw events; show their mapping and the settings to use."""
    from foretell.inspect_source import inspect_source, report

    with _progress() as progress:
        found = inspect_source(path, progress)
    console.print(report(found), soft_wrap=True)


@app.command()
def config(
    is_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    project_dir: ProjectDir = None,
) -> None:
    """Print every setting, its value and its source."""
    from foretell.config import as_json, resolve
    from foretell.report.settings_table import settings_table

    used = read_settings()  # refuses what cannot be used
    settings = in_effect(used, resolve(os.environ, used.project.dbt_folder, {}))
    if is_json:
        typer.echo(as_json(settings))  # the console would wrap it
    else:
        console.print(settings_table(settings))


@app.command()
def init(
    folder: Annotated[
        Path, typer.Argument(help="A new folder, or that of a dbt project.")
    ] = Path(),
    events: Annotated[
        str | None, typer.Option("--from", help="Path or glob of raw events, e.g. 'export/*.csv'.")
    ] = None,
) -> None:
    """Write a small dbt project; from events it proposes predictions, with users and rates."""
    from foretell.init_command import init as make

    with _progress() as progress:
        made = make(folder, events, progress)
    console.print(made, soft_wrap=True)


@app.command()
def new_prediction(
    name: Annotated[str, typer.Argument(help="E.g. buys_within_7_days.")],
    event: Annotated[
        str | None, typer.Option(help="The event that is predicted; any: every event.")
    ] = None,
    horizon_days: Annotated[int | None, typer.Option(min=1, help="By when.")] = None,
    not_done: Annotated[
        bool, typer.Option("--not-done", help="Predict that it does not happen.")
    ] = False,
    at_least: Annotated[int, typer.Option(min=1, help="How often.")] = 1,
    cohort_event: Annotated[str, typer.Option(help="Users who did this are scored.")] = "any",
    within_days: Annotated[int, typer.Option(min=1, help="They did it in so many days.")] = 28,
    label: Annotated[str, typer.Option(help="For people; default: made of the rest.")] = "",
    project_dir: ProjectDir = None,
) -> None:
    """Write a definition; what no option says is asked for."""
    from foretell.new_prediction import Answers, event_types, write_prediction

    settings = read_settings()
    if event is None:
        if known := event_types(settings):
            console.print(f"Event types: {', '.join(known[:30])}", markup=False, soft_wrap=True)
        event = typer.prompt("Event that is predicted (any: every event)")
    days = horizon_days or typer.prompt("Within how many days", default=7, type=int)
    answers = Answers(name, event, days, not_done, at_least, cohort_event, within_days, label)
    path = write_prediction(settings, answers)
    console.print(f"{path}: written", markup=False, highlight=False, soft_wrap=True)
    console.print("Next: foretell check-predictions, then foretell run")


@app.command()
def demo_events(
    folder: Annotated[Path, typer.Option(help="Where to write.")] = Path("warehouse/demo_events"),
    users: Annotated[int, typer.Option(min=100, help="Simulated users.")] = 20_000,
    weeks: Annotated[int, typer.Option(min=4, help="Weeks of history.")] = 20,
    seed: Annotated[int, typer.Option(help="Same seed, same events.")] = 7,
) -> None:
    """Simulate the events of a shop, with realistic errors, and write the true probabilities."""
    from foretell.demo.events import DemoSettings, write_demo_events

    with _progress() as progress:
        progress(f"simulating {users:,} users over {weeks} weeks")
        made = write_demo_events(folder, DemoSettings(users=users, weeks=weeks, seed=seed))
    console.print(
        f"{made.n_events:,} rows of {made.n_users:,} users in {folder}: "
        f"{made.n_duplicates:,} re-sent, {made.n_late:,} late, "
        f"{made.n_anonymous:,} before log-in, {made.n_unusable:,} unusable. As of {made.as_of}."
    )


def main() -> None:
    """Run the command; an error that the user can fix is one line and exit code 1."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        restrict_files()
        app()
    except Stopped as stopped:
        console.show_cursor()
        _say("stopped; readers still see the copy published before")
        os._exit(128 + stopped.args[0])  # training in threads would be waited for
    except HeldBack as error:
        _fail(str(error), exit_code=3)
    except ForetellError as error:
        _fail(str(error))
    except MemoryError:
        _fail(explain_resources("out of memory"))
    except _engine_errors() as error:
        if reason := explain_resources(str(error)):
            _fail(reason)
        hint = UPGRADED if type(error).__name__ in LACKING else ""
        _fail(f"the warehouse reported: {str(error).splitlines()[0]}{hint}")
    except OSError as error:
        _fail(explain_resources(str(error)) or str(error))


class Stopped(BaseException):
    """A signal requested the end of this process; its number is the argument."""


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # once is enough
    raise Stopped(number)


def _engine_errors() -> tuple[type[Exception], ...]:
    """Return the errors of the engines in use; Spark only if it is imported."""
    if "pyspark" not in sys.modules:
        return (duckdb.Error,)
    from pyspark.errors import PySparkException

    return duckdb.Error, PySparkException


def _walk(settings: Settings, select: list[str] | None, **options: object) -> None:
    from foretell.alarms.alarms import current_alarms, refuse_held_back
    from foretell.pipeline.replay import of_run
    from foretell.report.summary import summary
    from foretell.run import command_name
    from foretell.run import run as run_pipeline
    from foretell.warehouse.open import open_warehouse

    started = time.monotonic()
    command = "foretell " + command_name(
        bool(options.get("with_training", True)), bool(options.get("with_scoring", True))
    )
    with _progress() as progress, of_run(settings, command, progress) as settings:
        published = run_pipeline(settings, progress, select or [], **options)  # type: ignore[arg-type]
        with open_warehouse(settings.location, read_only=True) as warehouse:
            shown = summary(warehouse, published)
            alarms = current_alarms(warehouse)
    console.print(shown)
    console.print(f"[dim]Took {time.monotonic() - started:.0f} s.[/dim]")
    refuse_held_back(alarms, select or [])


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show the progress: one line that changes on a terminal, a line per step elsewhere."""
    started = time.monotonic()
    if not console.is_terminal:
        yield lambda line: console.print(
            f"{time.monotonic() - started:5.0f} s  {mask(line)}", markup=False, highlight=False
        )
        return
    with console.status("starting") as living:

        def show(line: str) -> None:
            living.update(f"{time.monotonic() - started:.0f} s  {mask(line)}".replace("[", r"\["))

        yield show


def _fail(message: str, exit_code: int = 1) -> NoReturn:
    _say(message)
    sys.exit(exit_code)


def _say(message: str) -> None:
    Console(stderr=True).print(
        f"foretell: {mask(message)}", style="red", markup=False, highlight=False, soft_wrap=True
    )


if __name__ == "__main__":
    main()
