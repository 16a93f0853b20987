"""A data set looked over before anybody trains on it: every file read once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.check_findings import Findings, ImageFacts, findings
from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.opening import AUTO, Division, open_layout
from segmint.datasets.sample import Sample
from segmint.errors import InputError

THREADS = 4
"""That read at once; decoders work outside Python's lock."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """What there is, and what is wrong with it."""

    name: str
    """Of the layout."""
    root: Path
    classes: tuple[str, ...]
    palette: NDArray[np.uint8]
    notes: tuple[str, ...]
    """What was recognized."""
    datasets: Mapping[str, Dataset]
    """By split."""
    images: tuple[ImageFacts, ...]
    """All that could be read."""
    problems: tuple[str, ...]
    """One sentence each; with any of them training would stop."""
    warnings: tuple[str, ...]
    """One sentence each, of what is allowed and seldom meant."""

    @property
    def usable(self) -> bool:
        """Whether training can begin."""
        return not self.problems

    def counts(self, split: str) -> NDArray[np.int64]:
        """(images, 256): pixels of each class, and at 255 those that do not count."""
        counts = [facts.counts for facts in self.of_split(split)]
        return np.array(counts, np.int64).reshape(-1, 256)

    def of_split(self, split: str) -> list[ImageFacts]:
        """The readable images of a split."""
        return [facts for facts in self.images if facts.split == split]


def check(
    root: str | Path,
    name: str = AUTO,
    *,
    val_fraction: float | None = None,
    seed: int = 0,
    advance: Callable[[str, int, int], None] | None = None,
    **options: Any,
) -> Check:
    """Read every pair of every split and say what is wrong.

    Args:
        root: the folder of the data set.
        name: of the layout; ``auto`` recognizes it.
        val_fraction: as in :func:`segmint.datasets.open`.
        seed: likewise.
        advance: called with a split, how many of its images are done, and how many there are.
        options: of the layout.

    Raises:
        UsageError: as :func:`segmint.datasets.open`.
        InputError: for a folder that is laid out as nothing known, or in which no split opens.
    """
    division = Division(open_layout(name, root, **options), val_fraction, seed)
    opened, unusable = _open_all(division)
    images: list[ImageFacts] = []
    for split, dataset in opened.items():
        for done, facts in enumerate(_read_all(dataset), start=1):
            if isinstance(facts, ImageFacts):
                images.append(facts)
            else:
                unusable.append(facts)
            if advance is not None:
                advance(split, done, len(dataset))
    first = next(iter(opened.values()))
    found: Findings = findings(images, first.classes)
    return Check(
        name=first.name,
        root=first.root,
        classes=first.classes,
        palette=first.palette,
        notes=tuple(dict.fromkeys(note for each in opened.values() for note in each.notes)),
        datasets=opened,
        images=tuple(images),
        problems=(*unusable, *found.problems),
        warnings=found.warnings,
    )


def _open_all(division: Division) -> tuple[dict[str, Dataset], list[str]]:
    """Every split but the union of others, and why some could not be opened."""
    known = division.splits()
    opened, closed = {}, []
    for split in known:
        if split == "trainval" and {"train", "val"} <= set(known):
            continue
        try:
            opened[split] = division.open(split)
        except InputError as error:
            closed.append(str(error))
    if not opened:
        where = division.layout.root
        raise InputError(closed[0] if closed else f"{where} has no split: complete the data set")
    return opened, closed


def _read_all(dataset: Dataset) -> Iterator[ImageFacts | str]:
    """Facts of every pair in order, or the sentence that says why there are none."""
    threads = ThreadPoolExecutor(THREADS)
    try:
        yield from threads.map(lambda pair: _read(dataset, pair), dataset.pairs)
    finally:
        threads.shutdown(cancel_futures=True)


def _read(dataset: Dataset, pair: Pair) -> ImageFacts | str:
    try:
        sample: Sample = dataset.read(pair)
    except InputError as error:
        return str(error)
    height, width, channels = sample.image.shape
    return ImageFacts(
        split=dataset.split,
        pair=pair,
        height=height,
        width=width,
        channels=channels,
        dtype=sample.image.dtype.name,
        counts=np.bincount(sample.mask.ravel(), minlength=256),
        fingerprint=_fingerprint(sample.image),
    )


def _fingerprint(image: NDArray[Any]) -> bytes:
    """The same for the same pixels, however they are compressed."""
    digest = hashlib.blake2b(repr((image.shape, image.dtype.str)).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


def representatives(images: Sequence[ImageFacts], classes: int, count: int) -> list[ImageFacts]:
    """Images that show as many classes as possible, each class where it is largest.

    Classes take turns, the rarest first, until there are enough images.

    Args:
        images: to choose from.
        classes: how many there are.
        count: how many images are wanted.
    """
    table = np.array([facts.counts[:classes] for facts in images]).reshape(-1, classes)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    rarest = [number for number in np.argsort(table.sum(axis=0)) if table[:, number].any()]
    chosen: list[int] = []
    while rarest and len(chosen) < min(count, len(images)):
        for number in rarest:
            left = [index for index in range(len(images)) if index not in chosen]
            if left and len(chosen) < count:
                chosen.append(max(left, key=lambda index: float(shares[index, number])))
    return [images[index] for index in sorted(chosen)]
