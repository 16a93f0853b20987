"""Text files read line by line, and lists of images: a path a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from segmint.engines.collection_rows import LONGEST_TEXT, Row
from segmint.errors import InputError

_MARK = b"\xef\xbb\xbf"
"""That some programs write before UTF-8."""
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_COMMENT = "#"


def read_list(table: Path) -> Iterator[Row]:
    """The images that a list names; empty lines and those that begin with ``#`` are left out.

    Raises:
        InputError: when it cannot be read or is no text in UTF-8.
    """
    for number, line in enumerate(text_lines(table), start=1):
        path = line.strip()
        if path and not path.startswith(_COMMENT):
            yield Row(number, path)


def text_lines(table: Path) -> Iterator[str]:
    """The lines of a text file with their ends, one at a time.

    Raises:
        InputError: when it cannot be read, is no text in UTF-8, or has a line that is too long.
    """
    try:
        with table.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_TEXT + 1):
                number += 1
                yield _text(table, number, line)
    except OSError as error:
        raise InputError(
            f"{table} cannot be opened ({error.strerror}), accepted are lists and tables of "
            "images: check the name and its permissions"
        ) from error


def _text(table: Path, number: int, line: bytes) -> str:
    line = line.removeprefix(_MARK) if number == 1 else line
    if number == 1 and line.startswith(_OTHER_MARKS):
        raise _no_text(table, number, "is UTF-16")
    if b"\0" in line:
        raise _no_text(table, number, "holds bytes that are no text")
    if len(line) > LONGEST_TEXT:
        raise _no_text(table, number, f"is longer than {LONGEST_TEXT} bytes")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise _no_text(table, number, "is not UTF-8") from None


def _no_text(table: Path, number: int, what: str) -> InputError:
    return InputError(
        f"line {number} of {table} {what}, accepted is text in UTF-8 that names images: save it "
        "so, or give it the suffix of what it is"
    )
