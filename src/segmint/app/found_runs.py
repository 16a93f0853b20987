"""The runs that visitors may choose from: those that were named at the start."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segmint.app.exported_facts import SUFFIX, exported_facts
from segmint.errors import InputError, shortened
from segmint.recipes import recipes
from segmint.recipes.recipe import Recipe
from segmint.recipes.run import read_record
from segmint.recipes.run_folder import is_finished, is_unfinished


@dataclass(frozen=True, kw_only=True)
class FoundRun:
    """A finished run, or a file that one was exported to."""

    name: str
    """Short, and of no other run here."""
    place: Path
    recipe: str
    class_count: int
    """Classes or components that an answer can have."""
    peers: tuple[str, ...] = ()
    """Who can answer, the best first; nobody where there is one network."""
    dataset: str | None = None
    score: float | None = None
    """Validation mean IoU of the best weights, 0 to 1."""


def find_runs(places: Sequence[str]) -> tuple[FoundRun, ...]:
    """The runs of some places, in their order.

    Args:
        places: folders that ``segmint train`` wrote, files that ``segmint export`` wrote, or
            folders that hold such, of which unfinished ones are left out.

    Raises:
        InputError: for a place that is none of these, or a damaged run.
    """
    found = [_found(place) for text in places for place in _places(text)]
    distinct = {run.place.resolve(): run for run in found}.values()
    return tuple(_named_apart(list(distinct)))


def _places(text: str) -> Iterator[Path]:
    place = Path(text)
    if "\0" in text or not text:
        raise InputError(f"{shortened(ascii(text))} cannot be a name of a run: give another")
    try:
        if place.is_dir() and not (is_finished(place) or is_unfinished(place)):
            yield from _inside(place)
        elif place.exists():
            yield place
        else:
            raise InputError(
                f"{place} does not exist, accepted are runs, .onnx files and folders of them: "
                "check the name"
            )
    except OSError as error:
        raise InputError(
            f"{shortened(text)} cannot be opened ({error.strerror or error}): give another"
        ) from error


def _inside(folder: Path) -> list[Path]:
    entries = sorted(folder.iterdir())
    runs = [each for each in entries if is_finished(each) or _is_exported(each)]
    if not runs:
        unfinished = next((each for each in entries if is_unfinished(each)), None)
        if unfinished is not None:
            read_record(unfinished)  # says how to go on with it
        raise InputError(
            f"{folder} is no run and holds none: give a folder that 'segmint train' wrote, a file "
            "of 'segmint export --format onnx', or a folder of such"
        )
    return runs


def _is_exported(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX and path.is_file()


def _found(place: Path) -> FoundRun:
    if place.is_dir():
        return _of_record(place, read_record(place))
    if _is_exported(place):
        recipe, class_count = exported_facts(place)
        return FoundRun(name=place.name, place=place, recipe=recipe, class_count=class_count)
    raise InputError(
        f"{place} is no run, accepted are folders that 'segmint train' wrote and files that "
        "'segmint export --format onnx' wrote: give one"
    )


def _of_record(place: Path, record: dict[str, Any]) -> FoundRun:
    recipe: Recipe = recipes.load(record["recipe"])
    score = record.get("best", {}).get("score")
    return FoundRun(
        name=place.resolve().name,
        place=place,
        recipe=record["recipe"],
        class_count=len(record.get("classes", ())) or _whole(record.get("components")),
        peers=recipe.peers(record),
        dataset=record.get("dataset", {}).get("name"),
        score=float(score) if isinstance(score, int | float) and math.isfinite(score) else None,
    )


def _whole(number: object) -> int:
    return number if isinstance(number, int) else 0


def _named_apart(runs: list[FoundRun]) -> Iterator[FoundRun]:
    """Runs of one name get that of the folder around them as well, or else a number."""
    for depth in (2, 3):
        again = Counter(run.name for run in runs)
        runs = [run if again[run.name] == 1 else _longer(run, depth) for run in runs]
    seen: Counter[str] = Counter()
    for run in runs:
        seen[run.name] += 1
        number = seen[run.name]
        yield run if number == 1 else replace(run, name=f"{run.name} ({number})")


def _longer(run: FoundRun, depth: int) -> FoundRun:
    parts = [part for part in run.place.resolve().parts if part != run.place.anchor]
    return replace(run, name="/".join(parts[-depth:]))
