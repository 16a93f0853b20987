"""How everything that a small window sees of two maps varies together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

FLOATS_AT_ONCE = 2**19
"""Of the stacked windows, for each thread, so that they stay in the cache."""
MANY_FLOATS_AT_ONCE = 2**25
"""On accelerators, where many small steps cost more than memory."""


def window_scatter(
    prediction: Tensor, truth: Tensor, radius: int, valid: Tensor | None = None
) -> Tensor:
    """Scatter matrix of the windows of pairs of maps: the sum of centered products.

    With d = radius * radius, a window's vector is its d values of ``prediction``, row by row, then
    its d values of ``truth``. Products are added up in float64, a few windows at a time, and the
    derivative for ``prediction`` is in closed form; neither ever holds all windows.

    Args:
        prediction: (P, H, W) floating; the only argument with a gradient.
        truth: (P, H, W) floating.
        radius: side of a window in pixels, at most H and W.
        valid: (P, H - radius + 1, W - radius + 1) boolean, the windows that count, by their
            first pixel; every pair needs one. None counts all.

    Returns:
        (P, 2 d, 2 d) float64.

    Example:
        >>> line = torch.tensor([[[1.0, 2.0, 6.0]]])
        >>> window_scatter(line, -line, 1).tolist()
        [[[14.0, -14.0], [-14.0, 14.0]]]
    """
    scatter: Tensor = _WindowScatter.apply(prediction, truth, radius, valid)  # type: ignore[no-untyped-call]
    return scatter


class _WindowScatter(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, prediction: Tensor, truth: Tensor, radius: int, valid: Tensor | None
    ) -> Tensor:
        windows = _Windows(prediction, truth, radius, valid)
        values = 2 * radius * radius
        products = prediction.new_zeros(len(prediction), values + 1, values + 1).double()
        for pairs, rows in windows.blocks():
            block = windows.block(pairs, rows)
            products[pairs] += block @ block.mT
        sums, count = products[:, :values, values:], products[:, values:, values:]
        means = sums / count
        ctx.radius = radius
        ctx.save_for_backward(prediction, truth, valid, means)
        return products[:, :values, :values] - means @ sums.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        prediction, truth, valid, means = ctx.saved_tensors
        weights = (gradient + gradient.mT)[:, : ctx.radius**2]
        weights = torch.cat((weights, -weights @ means), dim=2)
        return _Windows(prediction, truth, ctx.radius, valid).spread(weights), None, None, None


class _Windows:
    """All windows of pairs of maps, given out in blocks that fit into the cache."""

    def __init__(
        self, prediction: Tensor, truth: Tensor, radius: int, valid: Tensor | None
    ) -> None:
        self.maps = (prediction, truth)
        self.radius = radius
        self.valid = valid
        self.height, self.width = (side - radius + 1 for side in prediction.shape[1:])
        # A scatter matrix does not depend on it, but large means would cost digits.
        self.centers = [
            each.mean(dim=(1, 2), keepdim=True, dtype=torch.double) for each in self.maps
        ]

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """Pairs and rows of windows, a pair for each thread where there are as many."""
        prediction = self.maps[0]
        on_processor = prediction.device.type == "cpu"
        threads = torch.get_num_threads() if on_processor else 1
        budget = threads * (FLOATS_AT_ONCE if on_processor else MANY_FLOATS_AT_ONCE)
        lines = budget // (self.width * (2 * self.radius**2 + 1))
        pairs = min(len(prediction), max(threads, lines // self.height))
        rows = min(self.height, max(1, lines // pairs))
        for pair in range(0, len(prediction), pairs):
            for row in range(0, self.height, rows):
                yield slice(pair, pair + pairs), slice(row, min(row + rows, self.height))

    def block(self, pairs: slice, rows: slice) -> Tensor:
        """(pairs, 2 d + 1, windows) values of the windows, then 1; all 0 where not valid."""
        seen = slice(rows.start, rows.stop + self.radius - 1)
        centered = torch.stack(
            [
                each[pairs, seen] - center[pairs]
                for each, center in zip(self.maps, self.centers, strict=True)
            ],
            dim=1,
        )
        vectors = (
            centered.unfold(2, self.radius, 1).unfold(3, self.radius, 1).movedim((4, 5), (2, 3))
        )
        count, lines = len(centered), rows.stop - rows.start
        block = centered.new_ones(count, 2 * self.radius**2 + 1, lines, self.width)
        block[:, :-1].view(vectors.shape).copy_(vectors)
        if self.valid is not None:
            block *= self.valid[pairs, None, rows]
        return block.flatten(2)

    def spread(self, weights: Tensor) -> Tensor:
        """Each window's weighted values added onto its pixels.

        Args:
            weights: (P, d, 2 d + 1), from a window's values to what its pixels get.

        Returns:
            (P, H, W) in the type of the prediction.
        """
        prediction = self.maps[0]
        total = torch.zeros_like(prediction, dtype=torch.double)
        for pairs, rows in self.blocks():
            shares = weights[pairs] @ self.block(pairs, rows)
            shares = shares.view(len(shares), self.radius, self.radius, -1, self.width)
            for y in range(self.radius):
                lines = slice(rows.start + y, rows.stop + y)
                for x in range(self.radius):
                    total[pairs, lines, x : x + self.width] += shares[:, y, x]
        return total.to(prediction.dtype)
