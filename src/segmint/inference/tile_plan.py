"""How large tiles and blocks may be within the memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from segmint.datasets.available_memory import in_gibibytes
from segmint.errors import UsageError
from segmint.inference.member import LARGEST_LOOKING_EVERYWHERE, Member
from segmint.inference.memory_limit import MemoryLimit, held_memory
from segmint.inference.views import Views

SMALLEST_TILE = 64
_ALIGNED = 256
"""Larger tiles have sides that are multiples of it, for files store such blocks."""
_USUAL, _LARGEST = 2048, 4096
"""Largest tiles of networks with small and with large halos."""
_TIMES_HALO = 64
"""With a side of so many times the halo, what is computed twice is a sixteenth."""
_SAFETY = 1.1
"""What operators hold besides tensors grows with the image as well: measured 0 to 6 %."""
_RESERVE = 2**27
"""Bytes for what does not grow: operators' own (measured 60 MiB), reading and writing."""
_DIFFERS = 2**24
"""Bytes by which what the process holds may differ when it is started again."""
_KEPT = 2**28
"""Bytes of answers that are kept for the next block."""


@dataclass(frozen=True, kw_only=True)
class TilePlan:
    """What a prediction may hold at a time."""

    tile: int | None
    """Side of what is answered at once, its halo apart; None for as much as is asked for."""
    block: int
    """Side of the windows that are answered at the least cost."""
    kept: int
    """Bytes of answers of tiles that may be kept."""

    @classmethod
    def of(
        cls,
        members: Sequence[Member],
        *,
        views: Views,
        limit: MemoryLimit | None,
        tile: int | None,
    ) -> Self:
        """The plan for members that answer one after the other.

        Args:
            members: one or more.
            views: in which each of them looks.
            limit: what the process may hold; None for no limit.
            tile: side of the tiles, where it is not to be chosen here.

        Raises:
            UsageError: for a tile that is too small, or when the memory is not enough for the
                smallest tile or for the one that is asked for.
        """
        _check_tile(tile)
        if limit is None:
            return cls(tile=tile, block=tile or _USUAL, kept=_KEPT)
        left = limit.left()
        wanted = sorted(_sides(members)) if tile is None else [tile]
        fitting = [side for side in wanted if _needed(side, members, views) <= left]
        if not fitting:
            raise _too_little(wanted[0], members, views, limit, is_asked=tile is not None)
        needed = _needed(fitting[-1], members, views)
        return cls(tile=fitting[-1], block=fitting[-1], kept=min(_KEPT, max(0, left - needed)))


def network_side(tile: int, member: Member) -> int:
    """Side of what a member's network sees at most for a tile."""
    reach = member.reach
    if reach.most is not None:
        return reach.most
    if reach.halo is not None:
        return max(tile + 2 * (reach.halo + reach.step), reach.least)
    side = max(min(tile, LARGEST_LOOKING_EVERYWHERE), reach.least)
    return side + -side % reach.step


def _sides(members: Sequence[Member]) -> list[int]:
    halo = max(member.reach.halo or 0 for member in members)
    largest = min(max(_USUAL, _TIMES_HALO * halo), _LARGEST)
    return [SMALLEST_TILE, 128, *range(_ALIGNED, largest + 1, _ALIGNED)]


def _needed(tile: int, members: Sequence[Member], views: Views) -> int:
    """Bytes, the greatest of any member."""
    of_networks = max(
        network_side(tile, member) ** 2 * member.bytes_per_pixel * member.batch
        for member in members
    )
    classes = max(member.classes for member in members)
    number = sum(1 for _ in views)
    copies = 1.0 + (len(members) > 1) + (number > 1)
    largest = max(1.0, *views.scales) if views.scales else 1.0
    copies += 2 * any(member.reach.halo is None for member in members)
    if views.scales or any(member.preprocessing.resize for member in members):
        copies += 2 + largest**2
    return int(_SAFETY * (of_networks + 4 * classes * copies * tile**2)) + _RESERVE


def _check_tile(tile: int | None) -> None:
    if tile is not None and (type(tile) is not int or tile < SMALLEST_TILE):
        raise UsageError(
            f"tile is {tile!r}, accepted is a whole number of pixels from {SMALLEST_TILE}: give "
            "more, or leave it out"
        )


def _too_little(
    tile: int, members: Sequence[Member], views: Views, limit: MemoryLimit, *, is_asked: bool
) -> UsageError:
    worst = max(
        members, key=lambda member: network_side(tile, member) ** 2 * member.bytes_per_pixel
    )
    halo = worst.reach.halo
    around = f" with a halo of {halo} pixels" if halo else ""
    total = held_memory() + _needed(tile, members, views) + _DIFFERS
    what = "the tile" if is_asked else "the smallest tile"
    return UsageError(
        f"--max-memory is {in_gibibytes(limit.total)}, but {what} of {worst.name} ({tile} x {tile}"
        f"{around}) needs {_rounded_up(total)}: give at least that"
        f"{', or a smaller tile' if is_asked else ', or predict with a smaller network'}"
    )


def _rounded_up(size: int) -> str:
    """A size that a user can pass, no smaller than it is."""
    return f"{math.ceil(100 * size / 2**30) / 100:g} GiB"
