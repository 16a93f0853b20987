"""Lists and tables that name the images of a collection, read as they come and never held."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from segmint.engines.collection_names import LONGEST_NAME, is_reserved
from segmint.engines.collection_rows import Row, one_line
from segmint.engines.list_table import read_list
from segmint.errors import InputError
from segmint.images.folder_listing import folder_prefix

TABLE_SUFFIXES: tuple[str, ...] = (".txt", ".csv", ".parquet")
"""Of files that name images."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_UNTIDY = re.compile(r"(^|/)\./|//|/$")
_NOT_IN_NAMES = re.compile(r"[/\\\x00-\x1f\x7f]")


def is_table(path: str | Path) -> bool:
    """Whether a file that was named is read for names of images."""
    return str(path).lower().endswith(TABLE_SUFFIXES) and Path(path).is_file()


def read_table(path: str | Path) -> Iterator[Row]:
    """The images that a list or a table names, one by one.

    Relative paths start from the folder of the table. A row is one image, and whether it is there
    is not looked up: what is missing is said when its turn comes.

    Args:
        path: a ``.txt`` list, a ``.csv`` or a ``.parquet`` table.

    Raises:
        InputError: when it cannot be read, names no image, has no column of images, or a row names
            what is no path; the line or row is named.
        UsageError: for Parquet where that is not installed.
    """
    table, found = Path(path), False
    prefix = folder_prefix(table.parent)
    for row in _rows(table):
        found = True
        yield _checked(row, table, prefix)
    if not found:
        raise InputError(
            f"{table} names no image, accepted is at least one: write the path of an image in "
            "each line"
        )


def place_of(row: Row, table: str | Path) -> str:
    """Where a row stands, for messages.

    Example:
        >>> place_of(Row(7, "a.png"), "cells.csv")
        'line 7 of cells.csv'
    """
    unit = "row" if str(table).lower().endswith(".parquet") else "line"
    return f"{unit} {row.place} of {table}"


def _rows(table: Path) -> Iterator[Row]:
    suffix = table.name.lower()
    if suffix.endswith(".csv"):
        from segmint.engines.csv_table import read_csv

        return read_csv(table)
    if suffix.endswith(".parquet"):
        from segmint.engines.parquet_table import read_parquet

        return read_parquet(table)
    return read_list(table)


def _checked(row: Row, table: Path, prefix: str) -> Row:
    if not row.image:
        raise _refused(row, table, "names no image", "accepted is a path", "write one there")
    if row.name:
        _check_name(row, table)
    if row.image.lower().endswith(TABLE_SUFFIXES):
        raise _refused(
            row,
            table,
            f"names {one_line(row.image)}, which is a list or table",
            "accepted are images",
            "name it on the command line, or write its images here",
        )
    image, region, scribbles = (
        _path(text, row, table, prefix) if text else ""
        for text in (row.image, row.region, row.scribbles)
    )
    return Row(row.place, image, row.name, region, scribbles)


def _path(text: str, row: Row, table: Path, prefix: str) -> str:
    if "\0" in text:
        raise _refused(
            row, table, f"names {one_line(text)!r}", "accepted are paths without NUL", "mend it"
        )
    if _ADDRESS.match(text):
        raise _refused(
            row,
            table,
            f"names the address {one_line(text)}",
            "accepted are files, as nothing is fetched",
            "mount it, and write the path that it has then",
        )
    if os.sep != "/" or _UNTIDY.search(text):
        return str(Path(prefix, text))
    return text if text.startswith(os.sep) else prefix + text


def _check_name(row: Row, table: Path) -> None:
    name = row.name
    if (
        name.startswith(".")
        or _NOT_IN_NAMES.search(name)
        or is_reserved(name)
        or len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME
    ):
        raise _refused(
            row,
            table,
            f"gives the name {one_line(name)!r}",
            f"accepted are names of folders of at most {LONGEST_NAME} bytes, without slashes and "
            "without a dot in front, and not those of manifests and reports",
            "choose another",
        )


def _refused(row: Row, table: Path, what: str, accepted: str, advice: str) -> InputError:
    return InputError(f"{place_of(row, table)} {what}, {accepted}: {advice}")
