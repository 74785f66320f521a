"""The beginning of text files: their encoding, and whether each line is an object."""

from __future__ import annotations

import codecs
import gzip
import zlib
from io import BufferedReader
from pathlib import Path

from foretell.errors import ForetellError

CHECKED_BYTES = 4_000_000
CHECKED_FILES = 50
BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def first_line(path: str) -> str:
    """Return the first line of a file, empty if it cannot be read as text."""
    try:
        with opened(Path(path)) as file:
            return file.readline(CHECKED_BYTES).decode("utf-8", "replace").rstrip("\r\n")
    except (OSError, EOFError, zlib.error):
        return ""


def check_text_file(path: Path, is_json: bool) -> None:
    """Refuse a text file in another encoding than UTF-8, or JSON that is not a line per object.

    Args:
        path: A local file; .gz is opened, other compression is left to the reader.
        is_json: Each line should hold one object.

    Raises:
        ForetellError: Naming the file, the line and the command that mends it.
    """
    if path.suffix == ".zst":
        return
    try:
        with opened(path) as file:
            head = file.read(CHECKED_BYTES)
    except (OSError, EOFError, zlib.error):
        return  # the reader says so
    _check_encoding(path, head)
    if is_json:
        _check_lines(path, head.lstrip(codecs.BOM_UTF8))


def opened(path: Path) -> gzip.GzipFile | BufferedReader:
    """Open a file as bytes, .gz unpacked."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _check_encoding(path: Path, head: bytes) -> None:
    plain = path.name.removesuffix(".gz")
    if head.startswith(BYTE_ORDER_MARKS):
        raise ForetellError(
            f"{path} is UTF-16, not UTF-8; convert it: "
            f"iconv -f utf-16 -t utf-8 {plain} > utf8_{plain}"
        )
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head)
    except UnicodeDecodeError as error:
        line = head.count(b"\n", 0, error.start) + 1
        start = head.rfind(b"\n", 0, error.start) + 1
        shown = head[start : start + 60].split(b"\n")[0].decode("cp1252", "replace")
        raise ForetellError(
            f"{path} is not UTF-8: line {line:,} ({shown!r} if it is Latin-1, as Excel writes on "
            f"Windows); convert it: iconv -f windows-1252 -t utf-8 {plain} > utf8_{plain}"
        ) from None


def _check_lines(path: Path, head: bytes) -> None:
    first, _, rest = head.lstrip().partition(b"\n")
    plain = path.name.removesuffix(".gz")
    if first.lstrip().startswith(b"["):
        raise ForetellError(
            f"{path} holds a JSON array; each line must hold one object: "
            f"jq -c '.[]' {plain} > events.ndjson"
        )
    if first.strip() == b"{" and rest.strip():
        raise ForetellError(
            f"{path} holds objects over several lines; each line must hold one object: "
            f"jq -c . {plain} > events.ndjson"
        )
