"""Windows put together from blocks that a file stores and that are decoded whole."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from segmint.errors import InputError
from segmint.images.block_cache import BlockCache
from segmint.images.checked_scene import SKIP_ADVICE, Mask, place_of
from segmint.images.decoding import Pixels
from segmint.images.window import Window

WORKERS = 2
"""Threads that decode; libraries let each other run meanwhile."""


class BadBlockError(InputError):
    """A block that cannot be had; its message is the end of a sentence, without the block."""


@dataclass(frozen=True, kw_only=True)
class StoredBlock:
    """A block of a file, or the part of one that belongs to a plane."""

    key: tuple[int, ...]
    """What is decoded; parts of the same have the same."""
    window: Window
    """Where it lies, inside the image."""
    channels: slice
    """Which channels it holds."""
    plane: int = 0
    count: int
    """Bytes when decoded."""


class BlockSource(Protocol):
    """What a format says of its blocks."""

    def decode(self, block: StoredBlock) -> Pixels:
        """What is stored under the block's key.

        Raises:
            BadBlockError: when it is damaged or missing.
        """
        ...

    def part(self, stored: Pixels, block: StoredBlock) -> Pixels:
        """Pixels (rows, columns, channels) of the block."""
        ...

    def name(self, block: StoredBlock) -> str:
        """What the file calls it, for messages, without its place."""
        ...


class BlockReader:
    """Decodes the blocks that a window meets, each once while there is room to keep it.

    Args:
        path: the file, for messages.
        source: decodes its blocks.
        cache: holds decoded blocks of the file.
        skip_bad: a damaged block is marked, rather than an error.
        level: tells the blocks of smaller copies apart from those of the image, 0.
    """

    def __init__(
        self,
        path: Path,
        source: BlockSource,
        cache: BlockCache,
        *,
        skip_bad: bool,
        level: int = 0,
    ) -> None:
        self._path, self._source, self._cache = path, source, cache
        self._skip_bad, self._level = skip_bad, level
        self._bad: dict[tuple[int, ...], BadBlockError] = {}

    def read_into(
        self, pixels: Pixels, window: Window, blocks: Sequence[StoredBlock]
    ) -> Mask | None:
        """Fill the pixels (h, w, C) of a window from the blocks that meet it.

        Returns:
            (h, w), where blocks are damaged; None where all are good.

        Raises:
            InputError: for the first damaged block, unless those are skipped.
        """
        self._cache.make_room(sum({block.key: block.count for block in blocks}.values()))
        fill = partial(self._fill, pixels, window)
        waiting = [block for block in blocks if not fill(block, decode=False)]
        if len({block.key for block in waiting}) > 1:
            with ThreadPoolExecutor(WORKERS) as pool:
                filled = list(pool.map(fill, waiting))
        else:
            filled = [fill(block) for block in waiting]
        bad = [block for block, good in zip(waiting, filled, strict=True) if not good]
        if not bad:
            return None
        if not self._skip_bad:
            raise self._refused(bad[0])
        mask = np.zeros(window.size, np.bool_)
        for block in bad:
            mask[_shared(block.window, window).inside(window).slices] = True
        return mask

    def _fill(
        self, pixels: Pixels, window: Window, block: StoredBlock, *, decode: bool = True
    ) -> bool:
        """Copy what a window shares with a block; False when that is not to be had."""
        stored = self._cache.get((self._level, block.key))
        if stored is None and decode:
            stored = self._decoded(block)
        if stored is None:
            return False
        shared = _shared(block.window, window)
        part = self._source.part(stored, block)[shared.inside(block.window).slices]
        rows, columns = shared.inside(window).slices
        pixels[rows, columns, block.channels] = part
        return True

    def _decoded(self, block: StoredBlock) -> Pixels | None:
        if block.key in self._bad:
            return None
        try:
            stored = self._source.decode(block)
        except BadBlockError as error:
            self._bad[block.key] = error
            return None
        self._cache.put((self._level, block.key), stored)
        return stored

    def _refused(self, block: StoredBlock) -> InputError:
        return refused_block(
            self._path, self._source.name(block), block.window, str(self._bad[block.key])
        )


def refused_block(path: Path, name: str, window: Window, reason: str) -> InputError:
    """The error for a block that cannot be had.

    Args:
        path: the file.
        name: what the file calls the block.
        window: its place.
        reason: what is wrong, beginning with a verb.
    """
    return InputError(
        f"{path}: {name} ({place_of(window)}) {reason}, accepted are whole files: copy it again, "
        f"{SKIP_ADVICE}"
    )


def grid_blocks(
    window: Window, size: tuple[int, int], block: tuple[int, int]
) -> list[tuple[int, int, Window]]:
    """Row, column and place of the blocks of a grid that meet a window.

    Args:
        window: which pixels are wanted.
        size: height and width of the image.
        block: of a block; those at the end are cut to the image.

    Example:
        >>> [(row, column) for row, column, _ in
        ...     grid_blocks(Window(top=3, bottom=5, left=0, right=3), (10, 10), (4, 4))]
        [(0, 0), (1, 0)]
    """
    rows = range(window.top // block[0], -(-window.bottom // block[0]))
    columns = range(window.left // block[1], -(-window.right // block[1]))
    return [
        (row, column, _cell(row, column, block).within(*size)) for row in rows for column in columns
    ]


def _cell(row: int, column: int, block: tuple[int, int]) -> Window:
    return Window(
        top=row * block[0],
        bottom=(row + 1) * block[0],
        left=column * block[1],
        right=(column + 1) * block[1],
    )


def _shared(first: Window, second: Window) -> Window:
    return Window(
        top=max(first.top, second.top),
        bottom=min(first.bottom, second.bottom),
        left=max(first.left, second.left),
        right=min(first.right, second.right),
    )
