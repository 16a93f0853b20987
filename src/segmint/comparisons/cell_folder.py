"""The folder of a cell: what was asked of it, and what became of it.

====================  ===========================================================================
file                  what it holds
====================  ===========================================================================
``begun.json``        what was asked, written first; a folder of another question is refused
(a run)               of a recipe: what ``segmint train`` writes, which can go on when cut off
``images/NAME/``      of what finds components: the result of each image
``labels/``           of a recipe: predicted classes, ``NAME.png``, or ``ANSWER/NAME.png``
``cell.json``         its scores, written last: a folder with it is finished
====================  ===========================================================================
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from segmint.comparisons.cell import CellResult
from segmint.comparisons.plain_data import parsed, plain
from segmint.comparisons.plan import Comparison
from segmint.errors import InputError, UsageError
from segmint.runs import write_json

BEGUN = "begun.json"
CELL = "cell.json"
FORMAT = "segmint cell 1"
_PARTIAL = ".partial-"
_SHOWN = 40
"""Letters of a value that a message shows."""


def asked_of(comparison: Comparison, label: str, seed: int) -> dict[str, Any]:
    """Everything that decides the scores of a cell, as plain data."""
    arm = comparison.arm(label)
    asked = {
        "format": FORMAT,
        "arm": f"{arm.way} {arm.name}",
        "settings": comparison.settings[label],
        "seed": seed,
        "device": comparison.device,
        "precision": comparison.precision,
        "dataset": comparison.dataset,
        "root": str(comparison.root.absolute()),
        "dataset_options": comparison.dataset_options,
        "val_fraction": comparison.val_fraction,
        "split": comparison.split,
        "images": comparison.images,
        "scores": [column.name for column in comparison.columns],
    }
    plain: dict[str, Any] = json.loads(json.dumps(asked, default=str))
    return plain


def check_cell(comparison: Comparison, label: str, seed: int) -> None:
    """Refuse the folder of a cell that was asked something else.

    Raises:
        UsageError: names the first difference.
        InputError: when the folder does not say what was asked.
    """
    folder = comparison.folder(label, seed)
    if not holds_files(folder):
        return
    told = _read(folder / BEGUN).get("asked")
    if not isinstance(told, dict):
        raise _damaged(folder, BEGUN, "it does not say what was asked")
    if told.get("format") != FORMAT:
        raise UsageError(
            f"{folder} is of a comparison by another version of segmint (format "
            f"{told.get('format')!r}, accepted is {FORMAT!r}): pass --overwrite or another --out"
        )
    asked = asked_of(comparison, label, seed)
    other = _first_difference(told, asked)
    if other:
        raise UsageError(
            f"{comparison.out} holds a comparison with other options ({label}, seed {seed}: "
            f"{other}): pass --overwrite or another --out"
        )


def holds_files(folder: Path) -> bool:
    """Whether a folder holds more than what a killed process was writing."""
    if not folder.is_dir():
        return False
    return any(not path.name.startswith(_PARTIAL) for path in folder.iterdir())


def begin_cell(comparison: Comparison, label: str, seed: int) -> Path:
    """Make the folder of a cell, and write what is asked of it."""
    folder = comparison.folder(label, seed)
    if not (folder / BEGUN).is_file():
        write_json(folder / BEGUN, {"asked": asked_of(comparison, label, seed), "peak_mib": None})
    return folder


def peak_so_far(folder: Path) -> float | None:
    """Greatest memory in MiB of what was done of a cell before it was cut off."""
    found = _read(folder / BEGUN).get("peak_mib")
    return float(found) if isinstance(found, int | float) else None


def keep_peak(folder: Path, peak_mib: float | None) -> None:
    """Remember it, for the process that goes on where this one was cut off."""
    write_json(folder / BEGUN, {**_read(folder / BEGUN), "peak_mib": peak_mib})


def write_result(folder: Path, result: CellResult) -> None:
    """Write ``cell.json``."""
    write_json(folder / CELL, {"format": FORMAT, **plain(result)})


def read_result(comparison: Comparison, label: str, seed: int) -> CellResult | None:
    """What became of a cell; None where it is not finished.

    Raises:
        InputError: for a damaged file, or one of another cell.
    """
    folder = comparison.folder(label, seed)
    if not (folder / CELL).is_file():
        return None
    told = _read(folder / CELL)
    try:
        if told.pop("format", None) != FORMAT:
            raise InputError(f"its format is not {FORMAT!r}")
        result: CellResult = parsed(told, CellResult, "cell")
        _check_result(comparison, result, label, seed)
    except InputError as error:
        raise _damaged(folder, CELL, str(error)) from error
    return result


def _check_result(comparison: Comparison, result: CellResult, label: str, seed: int) -> None:
    """Refuse a result that is not of that cell, or not whole."""
    if (result.label, result.seed) != (label, seed):
        raise InputError(f"it is of {result.label!r}, seed {result.seed}")
    if result.failed or not result.answers:
        raise InputError("it has no answers")
    main = comparison.columns[0].name
    for answer in result.answers.values():
        if main not in answer.scores:
            raise InputError(f"it has no {main}")
        if set(answer.images) != set(comparison.images):
            raise InputError("it has the scores of other images")


def _damaged(folder: Path, name: str, reason: str) -> InputError:
    return InputError(
        f"{folder / name} is damaged ({reason}): remove the folder {folder} and compare again"
    )


def _read(path: Path) -> dict[str, Any]:
    """Plain data of a file, nothing where it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _first_difference(there: Any, asked: Any, name: str = "") -> str:
    """``settings.training.epochs is 5 there and 10 here``, or nothing."""
    if isinstance(there, dict) and isinstance(asked, dict):
        for key in dict.fromkeys([*asked, *there]):
            inner = f"{name}.{key}" if name else key
            found = _first_difference(there.get(key), asked.get(key), inner)
            if found:
                return found
        return ""
    if there == asked:
        return ""
    return f"{name.removeprefix('settings.')} is {_short(there)} there and {_short(asked)} here"


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    count = f"{len(value)}: " if isinstance(value, list) else ""
    return text if len(text) <= _SHOWN else f"{count}{text[:_SHOWN]}..."
