"""What must be the same for the blocks of a killed process to be of use to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from segmint.images.label_levels import TILE
from segmint.images.scene import Scene
from segmint.runs import write_json

PLAN = "plan.json"
"""The file that it is kept in, beside the blocks."""

_FORMAT = "segmint blocks 1"
_LONGEST = 2**31


@dataclass(frozen=True, kw_only=True)
class ScenePlan:
    """What the blocks are of, and the size that was chosen for them."""

    facts: Mapping[str, Any]
    """Plain data."""
    block: tuple[int, int]
    """Rows and columns; another process with more or less memory goes on with the same."""
    tile: int | None = None
    """Side of what the answer computes at once, where it says so; the same again, because rounding
    depends on it."""

    def write(self, folder: Path) -> None:
        """Keep it beside the blocks.

        Raises:
            OutputError: when it cannot be written.
        """
        write_json(
            folder / PLAN, {"facts": self.facts, "block": list(self.block), "tile": self.tile}
        )

    @classmethod
    def read(cls, folder: Path) -> ScenePlan | None:
        """The plan of a folder; None where there is no readable one."""
        try:
            found = json.loads((folder / PLAN).read_text(encoding="utf-8"))
            rows, columns = found["block"]
            tile = found["tile"]
            if not all(_is_side(side, TILE) for side in (rows, columns)):
                return None
            if tile is not None and not _is_side(tile, 1):
                return None
            return cls(facts=dict(found["facts"]), block=(rows, columns), tile=tile)
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None


def _is_side(value: object, step: int) -> bool:
    """Whether it is a number of pixels that a process may have written."""
    return type(value) is int and 0 < value <= _LONGEST and value % step == 0


def facts_of(
    scene: Scene, region: Scene | None, *, classes: int, maps: bool, further: Mapping[str, Any]
) -> dict[str, Any]:
    """Facts of a piece of work, as they come back from a file.

    Args:
        scene: that is segmented.
        region: where to look.
        classes: K.
        maps: whether probabilities are kept.
        further: method, options, seed and what else decides the labels.
    """
    facts = {
        "format": _FORMAT,
        "segmint": version("segmint"),
        "image": _identity(scene),
        "region": None if region is None else _identity(region),
        "classes": classes,
        "probabilities": maps,
        **further,
    }
    return dict(json.loads(json.dumps(facts, default=str)))


def difference(before: Mapping[str, Any], now: Mapping[str, Any], name: str = "") -> str | None:
    """The first fact that is another one, in words; None where all are the same.

    Example:
        >>> difference({"options": {"components": 3}}, {"options": {"components": 4}})
        'options.components was 3 and is 4'
    """
    for key in [*before, *(key for key in now if key not in before)]:
        old, new = before.get(key), now.get(key)
        path = f"{name}{key}"
        if isinstance(old, dict) and isinstance(new, dict):
            found = difference(old, new, f"{path}.")
            if found is not None:
                return found
        elif old != new:
            return f"{path} was {old} and is {new}"
    return None


def _identity(scene: Scene) -> dict[str, Any]:
    """What tells a scene apart from another one, and from itself after a change."""
    path = None if scene.source is None else scene.source.resolve()
    return {
        "path": path,
        "files": [] if path is None else _states(path),
        "shape": [*scene.shape, scene.channels],
        "dtype": str(scene.dtype),
    }


def _states(path: Path) -> list[dict[str, Any]]:
    """A file, or of a folder all files in it together, as they would differ after a change."""
    if not path.is_dir():
        return [_state(path.name, [path])]
    files = [each for each in path.rglob("*") if each.is_file()]
    return [_state(f"{len(files)} files", files)]


def _state(name: str, files: Sequence[Path]) -> dict[str, Any]:
    states = [each.stat() for each in files]
    return {
        "name": name,
        "bytes": sum(state.st_size for state in states),
        "changed": max((state.st_mtime_ns for state in states), default=0),
    }
