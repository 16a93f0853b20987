"""A part of the training images set aside for validation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from segmint.datasets.dataset import Pair
from segmint.errors import InputError

Parts = tuple[tuple[Pair, ...], tuple[Pair, ...]]


def hold_out(
    pairs: Sequence[Pair], groups: Sequence[str], *, fraction: float, seed: int, place: Path
) -> Parts:
    """Draw whole groups until their share of all groups is reached.

    The draw depends on the names of the groups and on the seed, not on the order of the files.

    Args:
        pairs: all of them.
        groups: what each belongs to, such as its patient; a group is never divided.
        fraction: share of the groups, above 0 and below 1; at least one group is drawn, and at
            least one is left.
        seed: of the draw.
        place: folder of the data set, for messages.

    Returns:
        What is left for training and what is held out, both in the order of ``pairs``.

    Raises:
        InputError: when there is only one group.
    """
    names = sorted(set(groups))
    if len(names) < 2:
        raise cannot_divide(len(pairs), place)
    count = part_size(fraction, len(names))
    drawn = np.random.default_rng(seed).permutation(len(names))[:count]
    held = {names[index] for index in drawn.tolist()}
    train = tuple(pair for pair, group in zip(pairs, groups, strict=True) if group not in held)
    val = tuple(pair for pair, group in zip(pairs, groups, strict=True) if group in held)
    return train, val


def hold_out_last(pairs: Sequence[Pair], *, fraction: float, place: Path) -> Parts:
    """Hold out the last pairs: for slices, whose neighbors look alike.

    Raises:
        InputError: when there is only one pair.
    """
    if len(pairs) < 2:
        raise cannot_divide(len(pairs), place)
    count = part_size(fraction, len(pairs))
    return tuple(pairs[:-count]), tuple(pairs[-count:])


def part_size(fraction: float, total: int) -> int:
    """How many of ``total`` are held out: at least one, and not all.

    Example:
        >>> part_size(0.2, 30), part_size(0.01, 30), part_size(0.99, 3)
        (6, 1, 2)
    """
    return min(max(round(fraction * total), 1), total - 1)


def cannot_divide(count: int, place: Path) -> InputError:
    """The error for a data set of which no part can be held out."""
    held = "one image" if count == 1 else f"{count} images that belong together"
    return InputError(
        f"{place} has {held} for training, of which no validation part can be taken: add images, "
        "or pass --val-fraction 0 (val_fraction=0) to learn without validation"
    )
