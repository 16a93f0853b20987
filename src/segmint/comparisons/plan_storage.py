"""A planned comparison as a file in its folder, from which its report is made again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from segmint.comparisons.plain_data import parsed, plain
from segmint.comparisons.plan import Comparison
from segmint.errors import InputError
from segmint.runs import write_json

PLAN = "plan.json"
"""The file, in the folder of the comparison."""

FORMAT = "segmint comparison plan 1"


def write_plan(comparison: Comparison) -> None:
    """Write ``plan.json``, whole or not at all.

    Raises:
        OutputError: when it cannot be written.
    """
    told = {"format": FORMAT, "root": str(comparison.root.absolute()), "plan": plain(comparison)}
    write_json(comparison.out / PLAN, told)


def read_plan(out: Path) -> Comparison:
    """The comparison that was planned for a folder, which may have been moved since.

    Raises:
        InputError: when the folder does not say what was planned.
    """
    path = out / PLAN
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise InputError(f"its format is not {FORMAT!r}")
        comparison: Comparison = parsed(told.get("plan"), Comparison, "plan")
        root = parsed(told.get("root"), Path, "root")
        if not (comparison.arms and comparison.seeds and comparison.columns):
            raise InputError("it plans nothing")
    except (InputError, OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise InputError(
            f"{path} does not say what was compared ({reason}): run the comparison once more, "
            "which goes on from the cells that are there"
        ) from error
    moved = comparison.root.absolute() != root
    return replace(comparison, out=out, root=root if moved else comparison.root)
