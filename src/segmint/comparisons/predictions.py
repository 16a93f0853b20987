"""What an arm said of an image, for figures: read where it was kept, predicted again elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmint.comparisons.arms import is_label_free
from segmint.comparisons.cell import WHOLE
from segmint.comparisons.component_cell import IMAGES, file_name
from segmint.comparisons.plan import Comparison
from segmint.datasets.dataset import Pair
from segmint.datasets.sample import Sample
from segmint.errors import InputError
from segmint.images import read_labels
from segmint.methods.storage import read_record


def prediction(
    comparison: Comparison, label: str, image: str, *, answer: str = WHOLE, seed: int | None = None
) -> NDArray[np.int32]:
    """Labels (H, W) that an arm gave an image, -1 outside the region.

    Components keep the numbers of their result; classes are those of the data set.

    Args:
        comparison: whose cell has run.
        label: of the arm.
        image: its name, one of ``comparison.images``.
        answer: which network of the arm.
        seed: of the cell; None is the first one.

    Raises:
        InputError: when the cell is not finished, or there is no such image.
    """
    folder = comparison.folder(label, comparison.seeds[0] if seed is None else seed)
    pair = _pair(comparison, image)
    if is_label_free(comparison.arm(label)):
        place = folder / IMAGES / file_name(pair)
        return read_labels(place / read_record(place)["labels"])
    from segmint.comparisons.class_scores import LABELS, answer_folder

    kept = answer_folder(folder / LABELS, answer) / f"{file_name(pair)}.png"
    if kept.is_file():
        return read_labels(kept)
    return _predicted(comparison, folder, pair, answer)


def sample_of(comparison: Comparison, image: str) -> Sample:
    """The pixels and the truth of an image that is scored."""
    return comparison.scored().read(_pair(comparison, image))


def _pair(comparison: Comparison, image: str) -> Pair:
    for pair in comparison.scored().pairs:
        if pair.name == image:
            return pair
    raise InputError(
        f"{image!r} is not among the {len(comparison.images)} images that are scored, such as "
        f"{comparison.images[0]!r}: give one of them"
    )


def _predicted(comparison: Comparison, folder: Path, pair: Pair, answer: str) -> NDArray[np.int32]:
    from segmint.recipes.run import Run
    from segmint.recipes.scoring import image_of

    run = Run(
        folder,
        device=comparison.device,
        precision=comparison.precision,
        peer=None if answer == WHOLE else answer,
    )
    dataset = comparison.scored()
    sample = dataset.read(pair)
    return run.predict(image_of(sample, dataset), region=sample.region)
