"""What is wrong, or seldom meant, about the images of a data set that could be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import IGNORE_INDEX, Pair
from segmint.images.mask_names import some_of


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageFacts:
    """What was found in one pair of files."""

    split: str
    pair: Pair
    height: int
    width: int
    channels: int
    dtype: str
    counts: NDArray[np.intp]
    """(256,): pixels of each class, and at ``ignore_index`` those that do not count."""
    fingerprint: bytes
    """Of the pixels of the image."""

    @property
    def present(self) -> list[int]:
        """Classes that have a pixel."""
        return [number for number in np.flatnonzero(self.counts).tolist() if number != IGNORE_INDEX]

    @property
    def lacks_truth(self) -> bool:
        """No mask came with the image, as with the test images of challenges."""
        return self.pair.mask is None and not self.present


@dataclass(frozen=True, kw_only=True)
class Findings:
    """One sentence for each."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def findings(images: Sequence[ImageFacts], classes: Sequence[str]) -> Findings:
    """Look for what makes training useless, or its scores wrong.

    Args:
        images: of all splits.
        classes: names.
    """
    known = [facts for facts in images if not facts.lacks_truth]
    train = [facts for facts in known if facts.split == "train"]
    problems = []
    if train and not any(facts.present for facts in train):
        problems.append("no pixel of train has a class: every mask is 255 throughout")
    warnings = [
        *_uncounted(known),
        *_single_class(known, classes),
        *_absent_classes(known, train, classes),
        *_duplicates(images),
        *_mixed_types(images),
    ]
    return Findings(problems=tuple(problems), warnings=tuple(warnings))


def _uncounted(images: Sequence[ImageFacts]) -> Iterator[str]:
    for split, inside in _by_split(images):
        empty = [facts.pair.name for facts in inside if not facts.present]
        if empty:
            yield (
                f"{len(empty)} of {len(inside)} masks of {split} are 255 throughout and teach "
                f"nothing: {some_of(empty)}"
            )


def _single_class(images: Sequence[ImageFacts], classes: Sequence[str]) -> Iterator[str]:
    for split, inside in _by_split(images):
        single = [facts for facts in inside if len(facts.present) == 1]
        if single and len(classes) > 1:
            kinds = sorted({facts.present[0] for facts in single})
            held = ", ".join(classes[number] for number in kinds[:3])
            yield (
                f"{len(single)} of {len(inside)} masks of {split} hold a single class ({held}): "
                f"{some_of([facts.pair.name for facts in single])}"
            )


def _absent_classes(
    images: Sequence[ImageFacts], train: Sequence[ImageFacts], classes: Sequence[str]
) -> Iterator[str]:
    taught = {number for facts in train for number in facts.present}
    found = {number for facts in images for number in facts.present}
    for numbers, what in (
        (sorted(found - taught), "occur only outside train and cannot be learned"),
        (sorted(set(range(len(classes))) - found), "never occur"),
    ):
        if numbers and train:
            names = some_of([classes[number] for number in numbers])
            yield f"{len(numbers)} of {len(classes)} classes {what}: {names}"


def _duplicates(images: Sequence[ImageFacts]) -> Iterator[str]:
    by_content: dict[bytes, list[ImageFacts]] = {}
    for facts in images:
        by_content.setdefault(facts.fingerprint, []).append(facts)
    shared: dict[tuple[str, str], list[str]] = {}
    for alike in by_content.values():
        for one, other in _equal_pairs(alike):
            names = f"{one.pair.name} and {other.pair.name}"
            shared.setdefault((one.split, other.split), []).append(names)
    for (one_split, other_split), pairs in shared.items():
        where = (
            f"twice in {one_split}"
            if one_split == other_split
            else (f"both in {one_split} and in {other_split}, so that scores will be too good")
        )
        yield f"{len(pairs)} pairs of equal images are {where}: {some_of(pairs)}"


def _equal_pairs(alike: Sequence[ImageFacts]) -> Iterator[tuple[ImageFacts, ImageFacts]]:
    """The first of each split with those after it in its split, and with the first of others."""
    by_split = _by_split(alike)
    for _, inside in by_split:
        yield from ((inside[0], other) for other in inside[1:])
    for (one, first), (other, second) in combinations(by_split, 2):
        if _side(one) != _side(other):
            yield first[0], second[0]


def _side(split: str) -> str:
    """Lists of training images may share images, and none with the others."""
    return "train" if split.startswith("train") else split


def _mixed_types(images: Sequence[ImageFacts]) -> Iterator[str]:
    types: dict[str, str] = {}
    for facts in images:
        types.setdefault(facts.dtype, facts.pair.image.name)
    if len(types) > 1:
        shown = ", ".join(f"{name} is {dtype}" for dtype, name in types.items())
        yield f"images are of several types, whose values are not comparable: {shown}"


def _by_split(images: Sequence[ImageFacts]) -> list[tuple[str, list[ImageFacts]]]:
    names = dict.fromkeys(facts.split for facts in images)
    return [(split, [facts for facts in images if facts.split == split]) for split in names]
