"""The folder of a comparison: whose it is, and what was asked, for people to read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from segmint.comparisons.cell_folder import check_cell, holds_files
from segmint.comparisons.plan import CELLS, Comparison
from segmint.comparisons.plan_storage import write_plan
from segmint.errors import OutputError, UsageError
from segmint.runs import write_text

QUESTION = "comparison.yaml"
_FIRST_LINE = "# segmint comparison 1"
_SEED = "seed-"
"""Begins the name of the folder of a cell."""


def make_out(out: Path) -> None:
    """Make the folder of a comparison where it is missing.

    Raises:
        OutputError: when it cannot be made, or nothing can be written there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise OutputError(
            f"cannot write into the folder {out}: {error.strerror or error}; choose another --out"
        ) from error


@contextmanager
def tried_out(out: Path) -> Iterator[None]:
    """Within it the folder is there; afterwards those that were made are gone, if still empty.

    Raises:
        OutputError: when it cannot be made, or nothing can be written there.
    """
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        make_out(out)
        yield
    finally:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()


def open_out(comparison: Comparison, *, overwrite: bool = False) -> None:
    """Write what is asked into the folder of a comparison.

    Args:
        comparison: that shall run.
        overwrite: throw away the cells that are there.

    Raises:
        OutputError: when it cannot be written.
    """
    if overwrite:
        _clear(comparison.out / CELLS)
    write_text(comparison.out / QUESTION, _written(comparison))
    write_plan(comparison)


def check_out(comparison: Comparison, *, overwrite: bool = False) -> None:
    """Refuse a folder that is not ours, or whose cells were asked something else.

    Raises:
        UsageError: says what is there.
        InputError: when a cell does not say what it was asked.
    """
    out = comparison.out
    if out.is_file():
        raise UsageError(f"--out {out} is a file: name a folder")
    _check_folders(comparison)
    if not out.is_dir() or not any(out.iterdir()):
        return
    first = _first_line(out / QUESTION)
    if first is None:
        raise UsageError(
            f"{out} holds files that are of no comparison (there is no {QUESTION}): give an empty "
            "folder, or another --out"
        )
    if overwrite:
        return
    if first not in (_FIRST_LINE, ""):  # an empty one is written anew; each cell has its own
        raise UsageError(
            f"{out / QUESTION} is damaged or by another version of segmint: pass --overwrite or "
            "another --out"
        )
    for arm, seed in comparison.cells:
        check_cell(comparison, arm.label, seed)
    _check_nothing_lost(comparison)


def _check_folders(comparison: Comparison) -> None:
    """Refuse a file where a folder belongs."""
    cells = [comparison.folder(arm.label, seed) for arm, seed in comparison.cells]
    for cell in cells:
        for folder in (cell.parent.parent, cell.parent, cell):
            if folder.is_file():
                raise UsageError(f"{folder} is a file: remove it, or give another --out")


def _check_nothing_lost(comparison: Comparison) -> None:
    """Refuse to leave out of the table what has a cell in the folder."""
    there = [
        (place.parent.name, place.name.removeprefix(_SEED))
        for place in sorted((comparison.out / CELLS).glob(f"*/{_SEED}*"))
        if holds_files(place)
    ]
    labels = [arm.label for arm in comparison.arms]
    arms = dict.fromkeys(label for label, _ in there if label not in labels)
    seeds = dict.fromkeys(seed for _, seed in there if seed not in map(str, comparison.seeds))
    lacking = [f"arm {label}" for label in arms] + [f"seed {seed}" for seed in seeds]
    if lacking:
        raise UsageError(
            f"{comparison.out} holds a comparison that has more ({', '.join(lacking)}), which its "
            "table would lose: name them, too, pass --overwrite, or give another --out"
        )


def _first_line(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    except OSError:
        return None


def _clear(cells: Path) -> None:
    try:
        if cells.is_dir():
            shutil.rmtree(cells)
    except OSError as error:
        raise OutputError(
            f"cannot remove {cells}: {error.strerror or error}; choose another --out"
        ) from error


def _written(comparison: Comparison) -> str:
    import yaml

    told: dict[str, Any] = {
        "command": comparison.command,
        "dataset": comparison.dataset,
        "root": str(comparison.root.absolute()),
        "dataset_options": dict(comparison.dataset_options),
        "split": comparison.split,
        "images": len(comparison.images),
        "seeds": list(comparison.seeds),
        "device": comparison.device,
        "precision": comparison.precision,
        "arms": [
            {
                **{name: asdict(arm)[name] for name in ("label", "way", "name", "preset")},
                "options": _plain(comparison.settings[arm.label]),
            }
            for arm in comparison.arms
        ],
        "same": dict(comparison.same),
        "notes": list(comparison.notes),
        "machine": comparison.machine,
    }
    text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100)
    return f"{_FIRST_LINE}\n{text}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
