"""Networks that answer for scenes of any size, alone or together, in several views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmint.errors import InputError
from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.companions import Size, seen_sizes
from segmint.inference.member import Activation, Member
from segmint.inference.memory_limit import MemoryLimit
from segmint.inference.sight import Sight
from segmint.inference.tile_plan import TilePlan, network_side
from segmint.inference.tile_runner import TileRunner
from segmint.inference.tiles import pieces
from segmint.inference.views import View, Views

Maps = NDArray[np.float32]

_ROWS_AT_ONCE = 64
"""Rows whose probabilities are computed together, so that they take little memory besides."""


class TiledPrediction:
    """A :class:`~segmint.inference.scene_answer.SceneAnswer` of networks.

    The answer of several is the mean of their probabilities, as is that of one in several views. A
    network that looks no further than its halo answers tiles as it would the whole image, but for
    rounding; tiles of others overlap and are blended.

    Args:
        members: networks with the same classes and channels.
        views: how each of them looks at the scene.
        limit: what the process may hold; None answers any window at once.
        tile: side of the tiles in pixels, their halo apart; None has it chosen by the limit.

    Raises:
        UsageError: for a tile that is too small, or a limit too low for one tile; it says the
            lowest that works.
    """

    def __init__(
        self,
        members: Sequence[Member],
        *,
        views: Views | None = None,
        limit: MemoryLimit | None = None,
        tile: int | None = None,
    ) -> None:
        self._members = tuple(members)
        self._views = tuple(views or Views())
        self._plan = TilePlan.of(members, views=views or Views(), limit=limit, tile=tile)
        self._runners = [
            TileRunner(member, tile=self._plan.tile, kept=self._plan.kept) for member in members
        ]

    @property
    def classes(self) -> int:
        """K."""
        return self._members[0].classes

    @property
    def block(self) -> tuple[int, int]:
        """Height and width of windows that are answered at the least cost within the memory."""
        return self._plan.block, self._plan.block

    @property
    def tile(self) -> int | None:
        """Side of what is computed at once, its halo apart; None for all that is asked for."""
        return self._plan.tile

    def keep_tile(self, tile: int) -> None:
        """Compute in tiles of that side from now on, as another process did."""
        self._plan = replace(self._plan, tile=tile, block=tile)
        for runner in self._runners:
            runner.keep_tile(tile)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided on the way, one sentence each."""
        told = [note for runner in self._runners for note in runner.notes]
        return tuple(dict.fromkeys([*self._blended(), *told]))

    def _blended(self) -> Iterator[str]:
        """Says so where answers depend on the size of the tiles."""
        for member in self._members:
            if self._plan.tile is not None and member.reach.halo is None:
                side = network_side(self._plan.tile, member)
                yield (
                    f"{Path(member.name).name} looks at the whole image everywhere, so larger "
                    f"images are blended from overlapping tiles of {side} pixels, on which the "
                    "labels depend (--tile)"
                )

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.int32]:
        """(h, w), 0 to K - 1: the most likely class.

        Raises:
            InputError: for other channels than the networks have, values that are not finite in
                the scene, or answers that are no numbers.
            MemoryError: when there is not enough for a small tile.
        """
        labels = np.empty(window.size, np.int32)
        for piece in self._pieces(window):
            own = labels[piece.inside(window).slices]
            if len(self._members) == len(self._views) == 1:
                for rows, part in self._probable(0, scene, piece, plane, self._views[0]):
                    own[rows] = part.argmax(axis=0)
            else:
                self._mean(scene, piece, plane).argmax(axis=0, out=own)
        return labels

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> Maps:
        """(K, h, w) that sum to 1.

        Raises:
            InputError: as :meth:`labels` does.
            MemoryError: as there.
        """
        return self._assembled(window, lambda piece: self._mean(scene, piece, plane))

    def each(self, scene: Scene, window: Window, plane: int = 0) -> Iterator[Maps]:
        """Probabilities (K, h, w) of each member, its views averaged.

        Raises:
            InputError: as :meth:`labels` does.
            MemoryError: as there.
        """
        for index in range(len(self._members)):
            answer = partial(self._of_member, index, scene, plane=plane)
            yield self._assembled(window, answer)

    def fit_together(self, size: Size, places: int) -> bool:
        """Whether so many images of a size take no more memory than one tile."""
        if self._plan.tile is None:
            return True
        sizes = [size]
        for member in self._members:
            sizes += seen_sizes(member, self._views, size)
        return places * max(height * width for height, width in sizes) <= self._plan.tile**2

    def probabilities_together(self, scenes: Sequence[Scene], *, places: int) -> list[Maps] | None:
        """Probabilities (K, H, W) of whole scenes of one size, which go through a network at once.

        Args:
            scenes: at most as many as there are places, and no stacks.
            places: in the batch; those that are left are filled and dropped.

        Returns:
            None where a scene takes more than one tile.

        Raises:
            InputError: as :meth:`labels` does.
            MemoryError: when there is not enough for the batch.
        """
        window = Window.whole(*scenes[0].size)
        totals: list[Maps] = [np.zeros((self.classes, *window.size), np.float32) for _ in scenes]
        for (member, runner), view in product(
            zip(self._members, self._runners, strict=True), self._views
        ):
            sights = [Sight(scene, 0, member, view) for scene in scenes]
            place = sights[0].place(window)
            answers = runner.answer_together(sights, place, places=places)
            if answers is None:
                return None
            for total, sight, answer in zip(totals, sights, answers, strict=True):
                for rows, part in _probable_rows(sight, answer, window, member):
                    total[:, rows] += part
        for total in totals:
            total /= np.float32(len(self._members) * len(self._views))
        return totals

    def _assembled(self, window: Window, answer: Callable[[Window], Maps]) -> Maps:
        """Maps of a window from those of parts that fit into memory."""
        parts = list(self._pieces(window))
        if len(parts) == 1:
            return answer(window)
        found: Maps = np.empty((self.classes, *window.size), np.float32)
        for part in parts:
            found[:, *part.inside(window).slices] = answer(part)
        return found

    def _pieces(self, window: Window) -> Iterator[Window]:
        """Parts of a window that fit into memory one by one."""
        whole = max(window.size) if self._plan.tile is None else self._plan.block
        return pieces(window, max(1, whole))

    def _mean(self, scene: Scene, window: Window, plane: int) -> Maps:
        total = self._of_member(0, scene, window, plane)
        for index in range(1, len(self._members)):
            total += self._of_member(index, scene, window, plane)
        total /= np.float32(len(self._members))
        return total

    def _of_member(self, index: int, scene: Scene, window: Window, plane: int) -> Maps:
        total: Maps = np.zeros((self.classes, *window.size), np.float32)
        for view in self._views:
            for rows, part in self._probable(index, scene, window, plane, view):
                total[:, rows] += part
        total /= np.float32(len(self._views))
        return total

    def _probable(
        self, index: int, scene: Scene, window: Window, plane: int, view: View
    ) -> Iterator[tuple[slice, Maps]]:
        """Probabilities (K, r, w) of one member in one view, some rows at a time."""
        member = self._members[index]
        sight = Sight(scene, plane, member, view)
        answer = self._runners[index].answer(sight, sight.place(window))
        yield from _probable_rows(sight, answer, window, member)


def _probable_rows(
    sight: Sight, answer: Tensor, window: Window, member: Member
) -> Iterator[tuple[slice, Maps]]:
    """Probabilities (K, r, w) of a window, some rows at a time, from its logits."""
    maps = sight.maps(answer.numpy(), window)
    for top in range(0, maps.shape[1], _ROWS_AT_ONCE):
        rows = slice(top, top + _ROWS_AT_ONCE)
        # NumPy holds a flipped line of one pixel for contiguous, and torch refuses its stride.
        logits = torch.from_numpy(maps[:, rows].copy())
        part: Maps = _activated(logits, member.activation).numpy()
        if not np.isfinite(part).all():
            raise InputError(
                f"{member.name} answers with values that are no numbers: the file is damaged, "
                "or the image far brighter than those it learned on; train again, or check the "
                "image"
            )
        yield rows, part


def _activated(logits: Tensor, activation: Activation) -> Tensor:
    if activation == "none":
        return logits
    if activation == "sigmoid":
        # In logarithms, because all of them may be far below the smallest float.
        logits = torch.nn.functional.logsigmoid(logits)
    return logits.softmax(dim=0)
