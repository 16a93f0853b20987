"""How many images a network answers together, and whether others beside an image matter.

The bits of an answer may depend on the shape of a batch, for libraries choose kernels by it, but
must not depend on what else is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from segmint.devices import memory_errors
from segmint.errors import InputError
from segmint.inference.member import Member
from segmint.inference.tiles import Canvas
from segmint.inference.views import View, Views

Size = tuple[int, int]
"""Height and width."""

_MOST = 16
_PIXELS = 2**20
"""Of a batch, about: enough to keep a GPU busy, and no more than a tile has. Images that have no
companions are computed as often as the batch has places, so that more would cost them more."""


def images_at_once(
    members: Sequence[Member], views: Views, size: Size, *, tile: int | None = None
) -> int:
    """How many images of a size go together: a power of two from 1 to 16.

    It depends on nothing but its arguments: neither on the memory nor on what else is to be done.
    On processors it is 1. Photographs gain nothing there (``benchmarks/bench_several.py``), and
    small pictures that come alone would pay for the places that they leave empty.

    Args:
        members: that answer one after the other.
        views: in which each of them looks.
        size: of the images.
        tile: side in pixels of what may be computed at once, where the user has said so.
    """
    if any(member.batch == 1 for member in members):
        return 1
    seen = [each for member in members for each in seen_sizes(member, views, size)]
    pixels = _PIXELS if tile is None else min(_PIXELS, tile**2)
    most = min(_MOST, pixels // max(rows * columns for rows, columns in seen))
    return 1 << (most.bit_length() - 1) if most else 1


class Companions:
    """Which members answer an image alike, to the last bit, in any place and beside any others.

    Most do when the shape of the batch is the same. Some do not where a processor computes the last
    few values of an array in another way than the others.
    """

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Member, dict[tuple[Size, int], bool]] = WeakKeyDictionary()

    def are_harmless(self, member: Member, views: Views, size: Size, *, places: int) -> bool:
        """Whether they do not matter in a batch of so many images of a size.

        It is tried once for each shape of a batch, on noise, and takes the time of two batches.

        Raises:
            MemoryError: when there is not enough for a batch.
        """
        known = self._known.setdefault(member, {})
        for seen in seen_sizes(member, views, size):
            if (seen, places) not in known:
                known[seen, places] = _are_harmless(member, seen, places)
        return all(known[seen, places] for seen in seen_sizes(member, views, size))


def seen_sizes(member: Member, views: Iterable[View], size: Size) -> list[Size]:
    """Sizes of what a network is given of a whole image."""
    own = member.preprocessing.size(*size)
    scaled = ((view.scaled(*own), view.swaps) for view in views)
    turned = ((width, height) if swaps else (height, width) for (height, width), swaps in scaled)
    canvases = (Canvas.of(each, member.reach) for each in turned)
    return list(dict.fromkeys((canvas.rows, canvas.columns) for canvas in canvases))


def _are_harmless(member: Member, size: Size, places: int) -> bool:
    images = _noise((places, member.preprocessing.channels, *size))
    moved = images.roll(1, dims=0)
    moved[0] = 0
    try:
        with memory_errors():
            expected, found = member.respond(images), member.respond(moved)
    except InputError:  # from a graph that takes one image at a time
        return False
    # Each image but the last has moved by one place, and the last is gone.
    return torch.equal(found[1:], expected[:-1])


def _noise(shape: tuple[int, ...]) -> Tensor:
    images = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return images.contiguous(memory_format=torch.channels_last)
