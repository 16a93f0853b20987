"""Answers of a network for windows of any size, in smaller tiles when memory runs out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from segmint.devices import memory_errors
from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.blending import TileShare, tile_shares
from segmint.inference.member import LARGEST_LOOKING_EVERYWHERE, Member
from segmint.inference.sight import Sight
from segmint.inference.tiles import pieces

_SMALLEST = 16
"""Side of tiles below which memory does not run out for their sake."""


class TileRunner:
    """What a member answers for windows of a sight.

    Tiles with a halo are exact; where no halo is large enough, tiles overlap and are blended, and
    their answers are kept for the next window.

    Args:
        member: who answers.
        tile: side of what is answered at once, its halo apart; None for all that is asked for.
        kept: bytes of answers that are kept.
    """

    def __init__(self, member: Member, *, tile: int | None, kept: int) -> None:
        self._member = member
        self._tile, self._batch = tile, member.batch
        self._kept = kept
        self._known: WeakKeyDictionary[Scene, _Kept] = WeakKeyDictionary()
        self._first_tile: int | None = None

    def keep_tile(self, tile: int) -> None:
        """Answer in tiles of that side from now on."""
        self._tile = tile

    @property
    def notes(self) -> tuple[str, ...]:
        """What was made smaller on the way."""
        notes = []
        if self._batch < self._member.batch:
            notes.append(
                f"memory ran out: {self._batch} tiles at a time instead of {self._member.batch}"
            )
        if self._first_tile is not None:
            notes.append(
                f"memory ran out: tiles of {self._tile} pixels instead of {self._first_tile}"
            )
        return tuple(notes)

    def answer(self, sight: Sight, window: Window) -> Tensor:
        """Logits (K, h, w) float32 of a window of the image that a sight sees.

        Raises:
            MemoryError: when there is not enough for a small tile.
        """
        if self._is_exact(sight):
            return self._exact(sight, window)
        try:
            return self._blended(sight, window)
        except MemoryError:
            self._shrink(self._side(sight))
        return self.answer(sight, window)

    def answer_together(
        self, sights: Sequence[Sight], window: Window, *, places: int
    ) -> list[Tensor] | None:
        """Logits (K, h, w) float32 of the same window in each of some sights alike.

        Args:
            sights: at most as many as there are places, of images of one size in one view.
            window: of each of them.
            places: in the batch; the last image also fills those that are left, so that the same
                kernels compute, however many images there are.

        Returns:
            None where the window takes more than one tile.

        Raises:
            MemoryError: when there is not enough for the batch.
        """
        canvas, seen = sights[0].canvas, self._seen_at_once(sights[0], window)
        if seen is None:
            return None
        with memory_errors():
            images = [sight.tensor(seen) for sight in sights]
            images += images[-1:] * (places - len(images))
            found = self._member.respond(torch.cat(images))
        inside = canvas.place(window).inside(seen).slices
        return [response[:, *inside] for response in found[: len(sights)]]

    def _seen_at_once(self, sight: Sight, window: Window) -> Window | None:
        """What :meth:`answer` gives the network for a window that takes one tile; else None."""
        if self._is_exact(sight):
            is_one = self._tile is None or max(window.size) <= self._tile
            return sight.canvas.seen(window) if is_one else None
        rows, columns = sight.canvas.rows, sight.canvas.columns
        is_one = max(rows, columns) <= self._side(sight)
        return Window.whole(rows, columns) if is_one else None

    def _is_exact(self, sight: Sight) -> bool:
        """Whether tiles have a halo; an image that was made smaller is kept where it is one."""
        if self._member.reach.halo is None:
            return False
        longest = max(sight.canvas.rows, sight.canvas.columns)
        return not sight.is_reduced or (self._tile is not None and longest > self._tile)

    def _exact(self, sight: Sight, window: Window) -> Tensor:
        found = None
        for piece, response in self._crops(sight, window):
            if piece == window:
                return response
            if found is None:
                found = response.new_empty(len(response), *window.size)
            found[:, *piece.inside(window).slices] = response
        assert found is not None
        return found

    def _crops(self, sight: Sight, window: Window) -> Iterator[tuple[Window, Tensor]]:
        """Pieces of a window and their logits."""
        waiting = list(pieces(window, self._tile or max(window.size)))
        seen = [sight.canvas.seen(piece) for piece in waiting]
        done = 0
        try:
            for response in self._responses(sight, seen):
                piece = waiting[done]
                inside = sight.canvas.place(piece).inside(seen[done])
                done += 1
                yield piece, response[:, *inside.slices]
            return
        except MemoryError:
            self._shrink(max(waiting[done].size))
        for piece in waiting[done:]:
            yield from self._crops(sight, piece)

    def _blended(self, sight: Sight, window: Window) -> Tensor:
        canvas, side = sight.canvas, self._side(sight)
        place, step = canvas.place(window), canvas.reach.step
        down = list(tile_shares(canvas.rows, side, step, place.top, place.bottom))
        across = list(tile_shares(canvas.columns, side, step, place.left, place.right))
        shares = [(row, column) for row in down for column in across]
        found: Tensor | None = None
        for (row, column), response in zip(shares, self._tiles(sight, shares), strict=True):
            part = response[:, row.inside, column.inside]
            if len(shares) == 1:
                return part
            if found is None:
                found = response.new_zeros(len(response), *window.size)
            weights = torch.from_numpy(row.weights[:, None] * column.weights)
            found[:, row.place, column.place] += part * weights
        assert found is not None
        return found

    def _tiles(
        self, sight: Sight, shares: Sequence[tuple[TileShare, TileShare]]
    ) -> Iterator[Tensor]:
        """Logits of whole tiles, those that are kept or computed now."""
        side = self._side(sight)
        kept = self._known.setdefault(sight.scene, _Kept(self._kept))
        keys = [(sight.key, side, row.start, column.start) for row, column in shares]
        seen = [
            Window(
                top=row.start,
                bottom=min(row.start + side, sight.canvas.rows),
                left=column.start,
                right=min(column.start + side, sight.canvas.columns),
            )
            for row, column in shares
        ]
        held = {key: kept.get(key) for key in keys}
        missing = [place for place, key in zip(seen, keys, strict=True) if held[key] is None]
        responses = self._responses(sight, missing)
        for key in keys:
            response = held.pop(key)
            if response is None:
                response = next(responses)
                kept.put(key, response)
            yield response

    def _side(self, sight: Sight) -> int:
        """Side of overlapping tiles."""
        reach = self._member.reach
        if reach.most is not None:
            return reach.most
        whole = max(sight.canvas.rows, sight.canvas.columns)
        if self._tile is None or (reach.halo is not None and self._tile >= whole):
            return whole
        side = max(min(self._tile, LARGEST_LOOKING_EVERYWHERE), reach.least)
        return side + -side % reach.step

    def _responses(self, sight: Sight, seen: Sequence[Window]) -> Iterator[Tensor]:
        """Logits (K, h, w) of windows of the canvas, some of one size at a time."""
        done = 0
        while done < len(seen):
            group = [seen[done]]
            for window in seen[done + 1 : done + self._batch]:
                if window.size != group[0].size:
                    break
                group.append(window)
            try:
                with memory_errors():
                    images = [sight.tensor(window) for window in group]
                    found = self._member.respond(
                        images[0] if len(images) == 1 else torch.cat(images)
                    )
            except MemoryError:
                if len(group) == 1:
                    raise
                self._batch = len(group) // 2
                continue
            yield from found
            done += len(group)

    def _shrink(self, side: int) -> None:
        """Take smaller tiles from now on; called while memory has run out."""
        reach = self._member.reach
        half = side // 2
        if reach.halo is None:
            half = max(half, reach.least)
            half += -half % reach.step
        is_least = half >= side or half < max(_SMALLEST, reach.step)
        if reach.most is not None or is_least:
            raise MemoryError(f"not enough memory for {self._member.name} on {side}x{side} pixels")
        self._first_tile = self._first_tile or side
        self._tile = half


class _Kept:
    """Answers of tiles, of which the ones not asked for longest go first."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._answers: OrderedDict[Any, Tensor] = OrderedDict()

    def get(self, key: Any) -> Tensor | None:
        """The answer of a tile, where it is still here."""
        found = self._answers.get(key)
        if found is not None:
            self._answers.move_to_end(key)
        return found

    def put(self, key: Any, answer: Tensor) -> None:
        """Keep an answer; the last one stays even where it is too large."""
        self._answers[key] = answer
        self._held += answer.nbytes
        while self._held > self._most and len(self._answers) > 1:
            _, dropped = self._answers.popitem(last=False)
            self._held -= dropped.nbytes
