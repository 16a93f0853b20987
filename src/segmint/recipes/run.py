"""Runs: learn by a recipe, keep what was learned, apply it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.datasets.prepared_folder import prepared_images, read_record
from segmint.devices import check_arithmetic, memory_errors
from segmint.errors import InputError
from segmint.images import Image, check_finite, collect_images, read_image
from segmint.images.channels import check_channel_order
from segmint.methods.segment import checked_region, segmentation_of
from segmint.methods.segmentation import Segmentation
from segmint.recipes import recipes
from segmint.recipes.recipe import Recipe, Report
from segmint.runs import staged_folder, versions, write_json

RUN = "run.json"
"""The record of a run; written last."""

_KINDS = {"recipe": str, "options": dict, "seed": int}


class Run:
    """A folder with everything one training made.

    Args:
        folder: what :func:`train` wrote.
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
        self.record = _read_record(self.folder)
        recipe: Recipe = recipes.load(self.record["recipe"])
        self._predictor = recipe.load(self.folder, self.record, device=device, precision=precision)

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


def train(
    recipe: str,
    data: str | Path | Sequence[str | Path | Image],
    *,
    out: str | Path,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    report: Report | None = None,
    **options: Any,
) -> Run:
    """Learn by a recipe and write a run.

    Args:
        recipe: a name that ``segmint list`` shows under recipes.
        data: a folder, a file or pattern, or several of them or of images; of a prepared data set
            the training split is taken.
        out: folder of the run; a finished run there is replaced.
        seed: of everything random.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``auto``, ``float32`` or ``bfloat16``.
        report: called after each step with its number and objective.
        options: of the recipe.

    Raises:
        InputError: for data that cannot be used.
        UsageError: for an unknown recipe or option.
    """
    chosen: Recipe = recipes.load(recipe)
    resolved = chosen.options.from_mapping(options)
    check_arithmetic(seed, device, precision)
    images = _read(data)
    start = time.perf_counter()
    with staged_folder(Path(out), last=RUN) as stage, memory_errors():
        found = chosen.train(
            images,
            stage,
            resolved,
            seed=seed,
            device=device,
            precision=precision,
            report=report,
        )
        record = {
            "recipe": recipe,
            "options": resolved.resolved(),
            "seed": seed,
            "images": [str(image.source) for image in images],
            "seconds": round(time.perf_counter() - start, 3),
            "versions": versions(),
            **found,
        }
        write_json(stage / RUN, record)
    return Run(out, device=device, precision=precision)


def training_files(data: Sequence[str | Path], *, recursive: bool = False) -> list[Path]:
    """The image files to learn from; of a prepared data set those of its training split.

    Raises:
        InputError: for a missing file, or a folder without images.
    """
    files: list[Path] = []
    for item in data:
        record = read_record(Path(item))
        if record is None:
            files += collect_images([item], recursive=recursive)
            continue
        if record["format_of_files"] != "npz":
            raise InputError(
                f"{item} was prepared as {record['format_of_files']}, whose regions lie apart, "
                "accepted is npz: prepare it once more with --format npz"
            )
        files += prepared_images(item, "train")
    return list(dict.fromkeys(files))


def _read(data: str | Path | Sequence[str | Path | Image]) -> list[Image]:
    given = [data] if isinstance(data, str | Path) else list(data)
    paths = [item for item in given if not isinstance(item, Image)]
    images = [item for item in given if isinstance(item, Image)]
    if paths:
        images += [read_image(path) for path in training_files(paths)]
    if not images:
        raise InputError("no image to learn from: give a folder or a list of images")
    for image in images:
        check_finite(image, image.region, advice="clean them")
        check_channel_order(image.channel_names, images[0].channel_names, str(images[0].source))
        if image.channels != images[0].channels:
            raise InputError(
                f"{image.source} has {image.channels} channels and {images[0].source} "
                f"{images[0].channels}, accepted are images with the same channels: learn from "
                "each kind apart"
            )
    return images


def _read_record(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{folder} is not a finished run (no readable {RUN}): "
            "give a folder that 'segmint train' wrote"
        ) from error
    found = record if isinstance(record, dict) else {}
    wrong = [name for name, kind in _KINDS.items() if not isinstance(found.get(name), kind)]
    if wrong or found["recipe"] not in recipes:
        raise InputError(
            f"{folder / RUN} is damaged or of another version "
            f"(no usable {', '.join(wrong or ['recipe'])}): train again"
        )
    return found
