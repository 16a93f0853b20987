"""Tables of images as CSV, with commas, semicolons or tabs between the columns."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from segmint.engines.collection_rows import IMAGE_COLUMNS, Columns, Row, choose_columns
from segmint.engines.list_table import text_lines
from segmint.errors import InputError

_SEPARATORS = (",", ";", "\t")


def read_csv(table: Path) -> Iterator[Row]:
    """The images that a table names, line by line; empty lines are left out.

    Its first line holds the titles of its columns, and tells what stands between them.

    Raises:
        InputError: when it is no text in UTF-8, names no column of images, or is broken; the line
            is named.
    """
    lines = text_lines(table)
    empty = 0
    for head in lines:
        if head.strip():
            break
        empty += 1
    else:
        return
    separator = _separator(head)
    rows = csv.reader(chain((head,), lines), delimiter=separator, strict=True)
    titles: list[str] | None = None
    columns = Columns(0)
    for place, fields in _numbered(table, rows, empty):
        if titles is None:
            titles, columns = fields, choose_columns(table, fields)
        elif any(field.strip() for field in fields):
            _check_length(table, place, fields, titles)
            yield _row(place, fields, columns)


def _separator(head: str) -> str:
    """What makes a column of images of the line, else what it has most of."""
    for separator in _SEPARATORS:
        titles = [title.strip(' \r\n"').casefold() for title in head.split(separator)]
        if set(titles) & set(IMAGE_COLUMNS):
            return separator
    return max(_SEPARATORS, key=head.count)


def _numbered(
    table: Path, rows: Iterable[list[str]], empty: int
) -> Iterator[tuple[int, list[str]]]:
    """Each row, and the line that it ends in."""
    reader = iter(rows)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            place = getattr(rows, "line_num", 0) + empty
            raise InputError(
                f"line {place} of {table} is broken ({error}), accepted is CSV with quotes in "
                "pairs: mend it there, or in the lines before it"
            ) from error
        yield getattr(rows, "line_num", 0) + empty, fields


def _check_length(table: Path, place: int, fields: Sequence[str], titles: Sequence[str]) -> None:
    if len(fields) != len(titles):
        raise InputError(
            f"line {place} of {table} has {len(fields)} columns, accepted are {len(titles)} as in "
            "its first line: put texts that hold the separator between double quotes"
        )


def _row(place: int, fields: Sequence[str], columns: Columns) -> Row:
    texts = ("" if column is None else fields[column].strip() for column in columns)
    return Row(place, *texts)
