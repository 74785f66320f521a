"""The folder of definitions: only YAML is read from it, as data, and only what defines predictions.

dbt would run every .sql and .py file of a folder it is given, read every other thing that YAML can
declare, and render Jinja in its values. So dbt gets a folder of our own: one YAML file for each of
the user's that has definitions, with those alone, each with the name of its file.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from foretell.errors import ForetellError

SUFFIXES = (".yml", ".yaml")
MAX_BYTES = 1_000_000  # a definition has some 500
MAX_FILES = 2_000
MAX_DEPTH = 100
MAX_VALUES = 100_000  # of one file, aliases expanded: a few kilobytes of aliases can stand for 10^9
RAW = re.compile(r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}", re.DOTALL)
JINJA = re.compile(r"\{\{|\{%|\{#")
# What dbt evaluates as code, though no braces stand around it.
DEPENDENCY = re.compile(
    r"""(ref|source|metric)\(\s*['"][^'"()]*['"](\s*,\s*['"][^'"()]*['"])?\s*\)"""
)
FILE_KEY = "foretell_file"  # under config.meta: macro definition_file reads it
MADE_OF, EDIT = "# Made of ", ": edit that."
KEPT_SECONDS = 24 * 3600
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def stage_definitions(folder: Path, target: Path) -> Path:
    """Write the definitions of a folder for dbt; return the folder that dbt is to read.

    The name of that folder depends on what is in it, so that a run reads the same definitions from
    its start to its end, whatever is edited meanwhile.

    Args:
        folder: The user's, searched with its subfolders.
        target: Ours, for such folders; made if it is not there.

    Raises:
        ForetellError: If a file cannot be read, is no YAML, is too large, holds Jinja or defines
            nothing; the message names the user's file.
    """
    files = {path: _definitions(path) for path in _yaml_files(folder)}
    texts = {path: _dumped(path, exposures) for path, exposures in files.items() if exposures}
    if not texts:
        raise ForetellError(
            f"FORETELL_PREDICTIONS={folder}: no prediction found there; "
            "name the folder that holds your definition .yml files"
        )
    digest = hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()[:16]
    staged = target / digest
    if not staged.exists():
        aside = target / f".{digest}.{time.time_ns()}"
        aside.mkdir(parents=True)
        for place, text in enumerate(texts.values()):
            (aside / f"definitions_{place}.yml").write_text(text, encoding="utf-8")
        try:
            aside.rename(staged)
        except OSError:  # another process was faster
            shutil.rmtree(aside, ignore_errors=True)
    _remove_old(target, staged)
    return staged


def name_user_files(message: str, staged: Path | None) -> str:
    """Return a message of dbt with the user's files in place of those that dbt read.

    Args:
        message: What dbt says, e.g. of a key that an exposure must have.
        staged: What stage_definitions returned; None: dbt read the user's own.
    """
    if staged is None:
        return message

    def user_file(found: re.Match[str]) -> str:
        path = staged / found[1]
        if not path.exists():
            return found[0]
        return path.read_text(encoding="utf-8").splitlines()[0][len(MADE_OF) : -len(EDIT)]

    for pattern in (
        rf"FilePath\([^)]*{staged.name}', relative_path='(definitions_\d+\.yml)'[^)]*\)",
        rf"[^\s'\"]*{staged.name}[/\\](definitions_\d+\.yml)",
    ):
        message = re.sub(pattern, user_file, message)
    return message


def check_definition_files(folder: Path) -> None:
    """Refuse a folder that dbt alone would read, for what `stage_definitions` would refuse.

    Raises:
        ForetellError: Naming the file.
    """
    for path in _yaml_files(folder):
        _definitions(path)


def _yaml_files(folder: Path) -> Iterator[Path]:
    found = 0
    for path in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SUFFIXES and not is_hidden and path.is_file():
            found += 1
            if found > MAX_FILES:
                raise ForetellError(
                    f"FORETELL_PREDICTIONS={folder} holds more than {MAX_FILES:,} YAML files; "
                    "name the folder that holds your definition .yml files alone"
                )
            yield path


def _definitions(path: Path) -> list[dict[str, Any]]:
    """Return the exposures of one file that define predictions or rules of the taxonomy."""
    n_bytes = path.stat().st_size
    if n_bytes > MAX_BYTES:
        raise ForetellError(
            f"{path} has {n_bytes:,} bytes; a file of definitions has at most {MAX_BYTES:,}"
        )
    try:
        text = path.read_bytes().decode("utf-8")
        _check_depth(path, text)
        content = yaml.load(text, Loader)
    except UnicodeDecodeError as error:
        raise ForetellError(f"{path} is not UTF-8: byte {error.start:,} cannot be read") from None
    except yaml.YAMLError as error:
        raise ForetellError(f"{path} is not YAML: {_in_one_line(error)}") from None
    if not isinstance(content, dict) or "exposures" not in content:
        return []
    _check_size(path, content["exposures"])
    exposures = content["exposures"]
    if not isinstance(exposures, list):
        raise ForetellError(f"{path}: exposures must be a list, each beginning with - name: …")
    return [_checked(path, each) for each in exposures if _is_ours(each)]


def _in_one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return where + str(getattr(error, "problem", None) or str(error).splitlines()[0])


def _check_depth(path: Path, text: str) -> None:
    """Refuse what is nested deeper than definitions are: its reading is recursive, in C."""
    depth = 0
    for event in yaml.parse(text, Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ForetellError(f"{path} is nested deeper than {MAX_DEPTH} levels")


def _check_size(path: Path, content: Any) -> None:
    """Refuse what expands to more values than definitions have, or holds itself."""
    n_values, rest = 0, [content]
    while rest:
        value = rest.pop()
        n_values += 1
        if n_values > MAX_VALUES:
            raise ForetellError(
                f"{path} holds more than {MAX_VALUES:,} values, its aliases (*name) written out; "
                "write less, or into several files"
            )
        if isinstance(value, dict):
            rest += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            rest += value


def _is_ours(exposure: Any) -> bool:
    """Whether an exposure is a prediction, or was meant to be one, or has rules of the taxonomy."""
    if not isinstance(exposure, dict):
        return False
    meta = _meta(exposure)
    return exposure.get("type") == "ml" or "prediction" in meta or "taxonomy" in meta


def _meta(exposure: dict[str, Any]) -> dict[str, Any]:
    config = exposure.get("config")
    meta = config.get("meta") if isinstance(config, dict) else None
    return meta if isinstance(meta, dict) else {}


def _checked(path: Path, exposure: dict[str, Any]) -> dict[str, Any]:
    """Return an exposure as dbt gets it: without Jinja, with the file that holds it."""
    name = exposure.get("name")
    kept = {key: value for key, value in exposure.items() if key != "description"}
    for text in _texts(kept):
        if JINJA.search(RAW.sub("", text)):
            raise ForetellError(
                f"{path}: prediction {name}: {text[:80]!r} holds Jinja, which definitions do not "
                "run; write the value itself, braces as {% raw %}{{ … }}{% endraw %}"
            )
    depends_on = kept.get("depends_on", [])
    for text in depends_on if isinstance(depends_on, list) else [depends_on]:
        if not isinstance(text, str) or not DEPENDENCY.fullmatch(text.strip()):
            raise ForetellError(
                f"{path}: prediction {name}: depends_on holds {str(text)[:80]!r}; "
                "write ref('predictions')"
            )
    if isinstance(kept.get("config"), dict) and isinstance(kept["config"].get("meta"), dict):
        meta = {**kept["config"]["meta"], FILE_KEY: _literal(str(path))}
        kept["config"] = {**kept["config"], "meta": meta}
    return kept


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, own in value.items():
            yield from _texts(key)
            yield from _texts(own)
    elif isinstance(value, list):
        for own in value:
            yield from _texts(own)


def _literal(text: str) -> str:
    """Return a text that dbt renders to itself."""
    return f"{{% raw %}}{text}{{% endraw %}}" if JINJA.search(text) else text


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # yaml has no types of its own
    """YAML without aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dumped(path: Path, exposures: list[dict[str, Any]]) -> str:
    text: str = yaml.dump({"exposures": exposures}, Dumper=_Dumper, sort_keys=False)
    return f"{MADE_OF}{path}{EDIT}\n{text}"


def _remove_old(target: Path, staged: Path) -> None:
    for folder in target.iterdir():
        if folder != staged and time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
