"""Runs: what was learned, and what it says of images."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.devices import memory_errors
from segmint.errors import InputError
from segmint.images import Image, check_finite
from segmint.methods.segment import checked_region, segmentation_of
from segmint.methods.segmentation import Segmentation
from segmint.recipes import recipes
from segmint.recipes.recipe import Recipe
from segmint.recipes.run_folder import LAST, RUN, is_unfinished

_KINDS = {"recipe": str, "options": dict, "seed": int}
_KINDS_IF_GIVEN: dict[str, type | tuple[type, ...]] = {
    "dataset": dict,
    "classes": list,
    "channel_names": list,
    "history": list,
    "versions": dict,
    "best": dict,
    "notes": list,
    "images": list,
    "steps": int,
    "seconds": (int, float),
    "stopped": str,
}
_DATASET_KINDS = {
    "name": str,
    "root": str,
    "train_split": str,
    "val_split": str,
    "train_images": int,
    "val_images": int,
    "arguments": dict,
}


class Run:
    """A folder with everything one training made.

    Args:
        folder: what :func:`segmint.train` wrote.
        device: where predictions are computed.
        precision: of their arithmetic.

    Raises:
        InputError: when the folder is not a finished run, or holds a damaged file.
        UsageError: for an unknown device or precision.
    """

    def __init__(
        self, folder: str | Path, *, device: str = "auto", precision: str = "auto"
    ) -> None:
        self.folder = Path(folder)
        self.record = read_record(self.folder)
        recipe: Recipe = recipes.load(self.record["recipe"])
        self._predictor = recipe.load(self.folder, self.record, device=device, precision=precision)

    @property
    def recipe(self) -> Recipe:
        """By which it was learned."""
        found: Recipe = recipes.load(self.record["recipe"])
        return found

    def predict(
        self, image: ArrayLike | Image, *, region: ArrayLike | None = None
    ) -> NDArray[np.int32]:
        """Labels (H, W), or (D, H, W) of a stack, with the numbers learned in training."""
        return self.segment(image, region=region).labels

    def segment(self, image: ArrayLike | Image, *, region: ArrayLike | None = None) -> Segmentation:
        """As :meth:`predict`, with what is needed to save the result.

        Args:
            image: like those that the run learned on.
            region: (H, W) boolean, or (D, H, W) for a stack: where to look; a prepared file brings
                its own.
        """
        source = image if isinstance(image, Image) else Image.from_array(image)
        where = checked_region(source, region)
        check_finite(source, where, advice="clean them")
        start = time.perf_counter()
        with memory_errors():
            outcome = self._predictor(source, where)
        return segmentation_of(
            outcome,
            method=f"run of {self.record['recipe']}",
            options={"run": str(self.folder), **self.record["options"]},
            seed=int(self.record["seed"]),
            seconds=time.perf_counter() - start,
        )


def read_record(folder: Path) -> dict[str, Any]:
    """What ``run.json`` says of a finished run.

    Raises:
        InputError: when the folder is not a finished run, or the file is damaged.
    """
    try:
        record = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(_not_a_run(folder)) from error
    found = record if isinstance(record, dict) else {}
    wrong = [name for name, kind in _KINDS.items() if not isinstance(found.get(name), kind)]
    wrong = wrong or _damaged(found)
    if wrong or found["recipe"] not in recipes:
        raise InputError(
            f"{folder / RUN} is damaged or of another version "
            f"(no usable {', '.join(wrong or ['recipe'])}): train again"
        )
    return found


def _damaged(record: dict[str, Any]) -> list[str]:
    """Names of entries that are not what :func:`segmint.train` writes."""
    wrong = [
        name
        for name, kinds in _KINDS_IF_GIVEN.items()
        if name in record and not isinstance(record[name], kinds)
    ]
    told = record.get("dataset")
    if isinstance(told, dict):
        wrong += [
            f"dataset.{name}"
            for name, kind in _DATASET_KINDS.items()
            if not isinstance(told.get(name), kind)
        ]
    lists = {"channel_names": str, "classes": str, "history": dict}
    wrong += [
        name
        for name, kind in lists.items()
        if name not in wrong and not all(isinstance(each, kind) for each in record.get(name, ()))
    ]
    sections = record["options"].values()
    return wrong + ([] if all(isinstance(each, dict) for each in sections) else ["options"])


def _not_a_run(folder: Path) -> str:
    if is_unfinished(folder) and (folder / LAST).is_file():
        return (
            f"{folder} is not a finished run (it was cut off): go on with "
            f"'segmint train --resume {folder}'"
        )
    return (
        f"{folder} is not a finished run (no readable {RUN}): "
        "give a folder that 'segmint train' wrote"
    )
