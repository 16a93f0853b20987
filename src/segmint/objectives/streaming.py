"""The label-free terms in one pass over the response, value and gradient together.

The obvious code makes a dozen copies of a response of 100 channels: log-softmax, differences,
their absolute values and the gradients of each. Here a few rows at a time stay in the processor's
cache, and the only full-size array made is the gradient:

- similarity: ``logsumexp - max``, with gradient ``softmax - onehot(argmax)``;
- scribble: the same with the scribble in place of the argmax;
- continuity: ``|d|``, with gradient ``sign(d)`` on both neighbours;
- areas: ``mean softmax`` needs one pass more, before the others, for the areas themselves.

Work is done in float32 whatever the type of the response. Memory beyond the response: its
gradient, and a few MiB that do not grow with the image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from segmint.objectives.batch import Batch

NeighbourWeights = Callable[[Batch], tuple[Tensor | None, Tensor | None]]

CHUNK_ELEMENTS = 768 * 1024
"""Elements of a chunk on the CPU: 3 MiB of float32, measured fastest on 1 MiB of cache a core."""


@dataclass(frozen=True, kw_only=True)
class StreamedWeights:
    """Weights of the terms that the streamed pass can sum."""

    similarity: float = 0.0
    continuity_x: float = 0.0
    continuity_y: float = 0.0
    scribble: float = 0.0
    max_area: float = 0.0
    min_area: float = 0.0
    neighbour_weights: NeighbourWeights | None = None
    """Weights of neighbour pairs for continuity; None weighs all pairs alike."""

    @property
    def areas(self) -> bool:
        """Whether an area term takes part."""
        return self.max_area != 0 or self.min_area != 0


def streamed_objective(
    logits: Tensor, batch: Batch, weights: StreamedWeights
) -> tuple[Tensor, dict[str, float]]:
    """Weighted sum of the label-free terms.

    Args:
        logits: (N, K, H, W) response, channels-last for speed; any floating type.
        batch: image, scribbles and region.
        weights: of the terms.

    Returns:
        The scalar, differentiable once, and the weighted value of each term.
    """
    parts: dict[str, float] = {}
    total = cast(Tensor, _Streamed.apply(logits, batch, weights, parts))  # type: ignore[no-untyped-call]
    return total, parts


class _Streamed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, batch: Batch, weights: StreamedWeights, parts: dict[str, float]
    ) -> Tensor:
        response = logits.detach().permute(0, 2, 3, 1).contiguous()
        gradient = torch.empty_like(response)
        sums = _stream(response, gradient, batch, weights)
        parts.update({name: float(value) for name, value in sums.items()})
        ctx.gradient = gradient.permute(0, 3, 1, 2)
        return torch.stack(list(sums.values())).sum().to(torch.float32)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None, None]:
        gradient, factor = ctx.gradient, upstream[0]
        del ctx.gradient
        return gradient if factor == 1 else gradient * factor, None, None, None


@dataclass(frozen=True, kw_only=True)
class _PixelWeights:
    """What one pixel adds to the pixelwise terms; all (N, H, W, 1) or plain numbers."""

    similarity: Tensor | float
    scribble: Tensor | float
    area: Tensor | float
    targets: Tensor | None
    labelled: Tensor | None


def _stream(
    response: Tensor, gradient: Tensor, batch: Batch, weights: StreamedWeights
) -> dict[str, Tensor]:
    images, height, width, components = response.shape
    pixels = _pixel_weights(response, batch, weights)
    pair_x, pair_y = (None, None)
    if weights.neighbour_weights is not None:
        pair_x, pair_y = weights.neighbour_weights(batch)
    scale_x = weights.continuity_x / components
    scale_y = weights.continuity_y / components
    if pair_x is None or pair_y is None:
        scale_x /= max(images * height * (width - 1), 1)
        scale_y /= max(images * (height - 1) * width, 1)
    rows = _rows(response)
    sums = _Sums(response.device)
    area_gradient = None
    if weights.areas:
        area_gradient = _area_pass(response, batch, weights, rows, sums)

    for image in range(images):
        above: Tensor | None = None
        for start in range(0, height, rows):
            stop = min(start + rows, height)
            chunk = response[image, start : min(stop + 1, height)].float()
            body = chunk[: stop - start]
            at = (image, slice(start, stop))
            slope = _pixelwise(body, pixels, at, area_gradient, sums)
            _horizontal(body, slope, scale_x, _take(pair_x, at), sums)
            pairs_at = (image, slice(start, start + len(chunk) - 1))
            above = _vertical(chunk, slope, scale_y, _take(pair_y, pairs_at), above, sums)
            gradient[image, start:stop] = slope
    return sums.values(weights)


def _pixelwise(
    body: Tensor,
    pixels: _PixelWeights,
    at: tuple[int, slice],
    area_gradient: Tensor | None,
    sums: _Sums,
) -> Tensor:
    """Gradient of the pixelwise terms on rows ``at``; their values are added to ``sums``."""
    peak = body.amax(dim=-1, keepdim=True)
    targets = body.argmax(dim=-1, keepdim=True)
    slope = (body - peak).exp_()
    partition = slope.sum(dim=-1, keepdim=True)
    entropy = partition.log()
    similarity, scribble = _take(pixels.similarity, at), _take(pixels.scribble, at)
    sums.add("similarity", (entropy * similarity).sum())
    weight = similarity
    if pixels.targets is not None and pixels.labelled is not None:
        targets = torch.where(pixels.labelled[at], pixels.targets[at], targets)
        surprise = entropy + peak - body.gather(-1, targets)
        sums.add("scribble", (surprise * scribble).sum())
        weight = similarity + scribble
    onehot = torch.as_tensor(weight, dtype=slope.dtype, device=slope.device).expand_as(peak)
    if area_gradient is None:
        slope.mul_(weight / partition)
    else:
        slope.div_(partition)
        pull = area_gradient - slope @ area_gradient.unsqueeze(-1)
        slope.mul_(pull.mul_(_take(pixels.area, at)).add_(onehot))
    return slope.scatter_add_(-1, targets, -onehot)


def _horizontal(
    body: Tensor, slope: Tensor, scale: float, pairs: Tensor | None, sums: _Sums
) -> None:
    if scale == 0 or body.shape[1] < 2:
        return
    difference = body[:, 1:] - body[:, :-1]
    pull = _continuity_pull(difference, scale, pairs, sums)
    slope[:, 1:] += pull
    slope[:, :-1] -= pull


def _vertical(
    chunk: Tensor,
    slope: Tensor,
    scale: float,
    pairs: Tensor | None,
    above: Tensor | None,
    sums: _Sums,
) -> Tensor | None:
    """As :func:`_horizontal`; returns the pull that the last pair has on the next chunk."""
    if scale == 0:
        return None
    if above is not None:
        slope[0] += above
    if len(chunk) < 2:
        return None
    pull = _continuity_pull(chunk[1:] - chunk[:-1], scale, pairs, sums)
    slope[: len(pull)] -= pull
    slope[1:] += pull[: len(slope) - 1]
    return pull[-1] if len(pull) == len(slope) else None


def _continuity_pull(difference: Tensor, scale: float, pairs: Tensor | None, sums: _Sums) -> Tensor:
    if pairs is not None:
        weighted = difference * (pairs * scale)
        sums.add("continuity", weighted.abs().sum())
        return difference.sign_().mul_(pairs * scale)
    sums.add("continuity", difference.abs().sum() * scale)
    return difference.sign_().mul_(scale)


def _area_pass(
    response: Tensor, batch: Batch, weights: StreamedWeights, rows: int, sums: _Sums
) -> Tensor:
    """Add the area terms to ``sums``; return their gradient in the soft areas, (K,)."""
    from segmint.objectives.area import area_gradients, max_area_loss, min_area_loss

    images, height, _, components = response.shape
    areas = torch.zeros(components, dtype=torch.float64, device=response.device)
    counts = torch.zeros(components, dtype=torch.int64, device=response.device)
    for image in range(images):
        for start in range(0, height, rows):
            body = response[image, start : start + rows].float()
            labels = body.argmax(dim=-1)
            probabilities = body.softmax(dim=-1)
            if batch.region is not None:
                inside = batch.region[image, start : start + rows]
                labels, probabilities = labels[inside], probabilities[inside]
            areas += probabilities.reshape(-1, components).sum(dim=0)
            counts += torch.bincount(labels.flatten(), minlength=components)
    areas /= max(int(counts.sum()), 1)
    present = counts > 0
    sums.add("max_area", max_area_loss(areas, present) * weights.max_area)
    sums.add("min_area", min_area_loss(areas, present) * weights.min_area)
    slopes = area_gradients(areas, present, largest=weights.max_area, smallest=weights.min_area)
    return slopes.float()


def _pixel_weights(response: Tensor, batch: Batch, weights: StreamedWeights) -> _PixelWeights:
    everywhere = response[..., 0].numel()
    unlabelled, labelled = batch.unlabelled(), batch.labelled()
    area: Tensor | float = 1.0 / everywhere
    if batch.region is not None:
        area = _share(batch.region, 1.0)
    return _PixelWeights(
        similarity=weights.similarity / everywhere
        if unlabelled is None
        else _share(unlabelled, weights.similarity),
        scribble=0.0 if labelled is None else _share(labelled, weights.scribble),
        area=area,
        targets=None if batch.mask is None else batch.mask.long().unsqueeze(-1),
        labelled=None if labelled is None else labelled.unsqueeze(-1),
    )


def _share(where: Tensor, weight: float) -> Tensor:
    return (where * (weight / where.sum().clamp(min=1))).float().unsqueeze(-1)


def _take(values: Any, at: tuple[int, slice]) -> Any:
    """Rows of a map (N, H, W) as (rows, W, 1); numbers and None pass through."""
    if not isinstance(values, Tensor):
        return values
    rows = values[at]
    return rows if rows.ndim == 3 else rows.unsqueeze(-1)


def _rows(response: Tensor) -> int:
    if response.device.type != "cpu":
        return response.shape[1]
    return max(CHUNK_ELEMENTS // max(response.shape[2] * response.shape[3], 1), 1)


class _Sums:
    """Running sums of the terms, on the device, in float64."""

    def __init__(self, device: torch.device) -> None:
        kind = torch.float32 if device.type == "mps" else torch.float64
        self._zero = torch.zeros((), dtype=kind, device=device)
        self._values: dict[str, Tensor] = {}

    def add(self, name: str, value: Tensor) -> None:
        self._values[name] = self._values.get(name, self._zero) + value

    def values(self, weights: StreamedWeights) -> dict[str, Tensor]:
        return self._values or {"similarity": self._zero * weights.similarity}
