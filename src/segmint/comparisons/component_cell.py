"""The cell of a method, or of a run that finds components: the result of each image, kept at once.

An image whose result is there already is not segmented again, so a cell that was cut off goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.comparisons.arm import BLANK
from segmint.comparisons.plan import Comparison
from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.sample import Sample
from segmint.errors import InputError
from segmint.images import Image, read_image, read_labels
from segmint.methods.segment import segment
from segmint.methods.segmentation import Segmentation
from segmint.methods.storage import read_record
from segmint.recipes.scoring import image_of

Work = Callable[[Image, Sample], Segmentation]

IMAGES = "images"
_PREPARED = ".npz"


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """The components of an image, as its folder keeps them."""

    pair: Pair
    sample: Sample
    labels: NDArray[np.int32]
    """(H, W), -1 outside the region."""
    record: dict[str, Any]
    """What ``result.json`` says."""


def segment_images(
    dataset: Dataset,
    work: Work,
    folder: Path,
    *,
    hierarchies: bool = False,
    advance: Callable[[int], None] = lambda done: None,
) -> None:
    """Segment the images that have no result yet.

    Args:
        dataset: of the images.
        work: segments one of them.
        folder: of the cell.
        hierarchies: keep those of methods that have any; 'segmint evaluate' scores them at every
            threshold, which takes longer than all else.
        advance: told how many images are done.
    """
    for done, pair in enumerate(dataset.pairs, start=1):
        place = folder / IMAGES / file_name(pair)
        sample = dataset.read(pair)
        if not _is_done(place, sample):
            found = work(_image(dataset, pair, sample), sample)
            _lightened(found, hierarchies=hierarchies).save(place)
        advance(done)


def found_images(dataset: Dataset, folder: Path) -> Iterator[Found]:
    """What was found in each image of a finished cell."""
    for pair in dataset.pairs:
        place = folder / IMAGES / file_name(pair)
        record = read_record(place)
        labels = read_labels(place / record["labels"])
        yield Found(pair=pair, sample=dataset.read(pair), labels=labels, record=record)


def method_work(comparison: Comparison, label: str, seed: int) -> Work:
    """What the method of an arm does with an image."""
    name, settings = comparison.arm(label).name, comparison.settings[label]
    if name == BLANK:
        return blank

    def work(image: Image, sample: Sample) -> Segmentation:
        return segment(
            image,
            name,
            region=sample.region,
            seed=seed,
            device=comparison.device,
            precision=comparison.precision,
            **settings,
        )

    return work


def blank(image: Image, sample: Sample) -> Segmentation:
    """One component everywhere: what is scored without looking."""
    inside = np.zeros(sample.mask.shape, np.int32)
    labels = inside if sample.region is None else np.where(sample.region, inside, np.int32(-1))
    return Segmentation(labels=labels, method=BLANK, options={}, seed=0, seconds=0.0)


def file_name(pair: Pair) -> str:
    """The name of an image as that of a file.

    Example:
        >>> file_name(Pair(image=Path("a.png"), mask=None, name="bonn/a"))
        'bonn-a'
    """
    return pair.name.replace("/", "-").replace("\\", "-")


def _image(dataset: Dataset, pair: Pair, sample: Sample) -> Image:
    """As a file gives it; a prepared one says more than its pixels."""
    return read_image(pair.image) if pair.image.suffix == _PREPARED else image_of(sample, dataset)


def _is_done(place: Path, sample: Sample) -> bool:
    """Whether the result of an image is there and whole; a damaged one is made anew."""
    try:
        labels = read_labels(place / read_record(place)["labels"])
    except InputError:
        return False
    return labels.shape == sample.mask.shape


def _lightened(found: Segmentation, *, hierarchies: bool) -> Segmentation:
    """Without what takes longer to write than to find, and no score needs."""
    return replace(
        found,
        hierarchy=found.hierarchy if hierarchies else None,
        mixture=None,
        maps=False,
        uncertainty_map=False,
        compute_probabilities=None,
        compute_uncertainty=None,
    )
