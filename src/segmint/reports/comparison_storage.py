"""The table of a comparison as a file of plain data, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from segmint.comparisons.plain_data import parsed, plain
from segmint.comparisons.table import ComparisonTable
from segmint.errors import InputError
from segmint.runs import write_json

COMPARISON = "comparison.json"
"""The file, in the folder of the comparison."""

FORMAT = "segmint comparison 1"

_LARGEST = 100_000_000


def is_comparison(folder: Path) -> bool:
    """Whether :func:`write_table` wrote into the folder."""
    return (folder / COMPARISON).is_file()


def write_table(folder: Path, table: ComparisonTable) -> Path:
    """Write ``comparison.json``, whole or not at all.

    Returns:
        The file.

    Raises:
        OutputError: when it cannot be written.
    """
    path = folder / COMPARISON
    write_json(path, table_data(table))
    return path


def table_data(table: ComparisonTable) -> dict[str, Any]:
    """The table as plain data, as the file has it."""
    return {"format": FORMAT, **plain(table)}


def read_table(folder: str | Path) -> ComparisonTable:
    """The table that :func:`write_table` wrote into a folder.

    Raises:
        InputError: when there is no such file, it is damaged, or it is of another version.
    """
    path = Path(folder) / COMPARISON
    told = _read(path)
    if told.get("format") != FORMAT:
        raise InputError(
            f"{path} has format {told.get('format')!r}, accepted is {FORMAT!r}: it is of another "
            "version of segmint, or of something else; run the comparison once more, which goes "
            "on from the cells that are there"
        )
    fields = {key: value for key, value in told.items() if key != "format"}
    try:
        table = parsed(fields, ComparisonTable, "table")
    except InputError as error:
        raise _damaged(path, str(error)) from error
    assert isinstance(table, ComparisonTable)
    if not table.columns:
        raise _damaged(path, "it has no columns")
    return table


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist: give the folder that 'segmint compare' wrote"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, " ".join(str(error).split())) from error
    if not isinstance(found, dict):
        raise _damaged(path, "it holds no object")
    return found


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} cannot be used as the table of a comparison ({reason}): run the comparison once "
        "more, which goes on from the cells that are there"
    )
