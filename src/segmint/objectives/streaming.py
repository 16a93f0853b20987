"""The label-free terms in one pass over the response, value and gradient together.

The obvious code makes a dozen copies of a response of 100 channels: log-softmax, differences,
their absolute values and the gradients of each. Here a few rows at a time stay in the processor's
cache, and the only full-size array made is the gradient:

- similarity: ``logsumexp - max``, with gradient ``softmax - onehot(argmax)``;
- scribble: the same with the scribble in place of the argmax;
- continuity: ``|d|``, with gradient ``sign(d)`` on both neighbors;
- areas: ``mean softmax`` needs one pass more, before the others, for the areas themselves.

Work is done in float32, or in float64 for a response of that type. Memory beyond the response: its
gradient, and a few MiB that do not grow with the image. A factored response is not written out at
all; then the gradient of its features is the only array as large as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from segmint.networks.factored import FactoredResponse
from segmint.objectives.area import area_gradients, max_area_loss, min_area_loss
from segmint.objectives.batch import Batch
from segmint.objectives.precision import sum_type
from segmint.objectives.rows import DenseRows, FactoredRows, ResponseRows
from segmint.objectives.streamed_weights import StreamedWeights

CHUNK_ELEMENTS = 768 * 1024
"""Elements of a chunk on the CPU: 3 MiB of float32, measured fastest on 1 MiB of cache a core."""


@dataclass(kw_only=True)
class Streamed:
    """What a pass found beside the value."""

    values: dict[str, Tensor]
    """Weighted value of each term, a scalar."""
    labels: Tensor
    """(N, H, W) int16, the channel of the largest response."""


def streamed_objective(
    response: Tensor | FactoredResponse, batch: Batch, weights: StreamedWeights
) -> tuple[Tensor, Streamed]:
    """Weighted sum of the label-free terms.

    Args:
        response: (N, K, H, W), channels-last for speed, any floating type; or factored.
        batch: image, scribbles and region.
        weights: of the terms.

    Returns:
        The scalar, differentiable once, and what else was found.
    """
    found = Streamed(values={}, labels=torch.empty(0, dtype=torch.int16))
    tensors = (
        (response.features, response.weight, response.bias)
        if isinstance(response, FactoredResponse)
        else (response,)
    )
    total = _Stream.apply(batch, weights, found, *tensors)  # type: ignore[no-untyped-call]
    return cast(Tensor, total), found


class _Stream(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, batch: Batch, weights: StreamedWeights, found: Streamed, *tensors: Tensor
    ) -> Tensor:
        source = DenseRows(*tensors) if len(tensors) == 1 else FactoredRows(*tensors)
        found.labels = torch.empty(source.shape[:3], dtype=torch.int16, device=tensors[0].device)
        sums = _stream(source, batch, weights, found.labels)
        found.values.update(sums)
        ctx.save_for_backward(*source.gradients())
        total = torch.stack(list(sums.values())).sum()
        return total.to(torch.promote_types(tensors[0].dtype, torch.float32))

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        gradients, factor = ctx.saved_tensors, upstream[0]
        # Whether a factor on another device is 1 would have to be waited for.
        if factor.device.type != "cpu" or factor != 1:
            gradients = tuple(gradient * factor for gradient in gradients)
        return None, None, None, *gradients


@dataclass(frozen=True, kw_only=True)
class _PixelWeights:
    """What one pixel adds to the pixelwise terms; all (N, H, W, 1) or plain numbers."""

    any: bool
    """Whether there is such a term."""
    similarity: Tensor | float
    scribble: Tensor | float
    area: Tensor | float
    targets: Tensor | None
    labelled: Tensor | None


def _stream(
    source: ResponseRows, batch: Batch, weights: StreamedWeights, labels: Tensor
) -> dict[str, Tensor]:
    images, height, width, components = source.shape
    pixels = _pixel_weights(source.shape, batch, weights)
    pair_x, pair_y = (None, None)
    if weights.neighbor_weights is not None:
        pair_x, pair_y = weights.neighbor_weights(batch)
    scale_x = weights.continuity_x / components
    scale_y = weights.continuity_y / components
    if pair_x is None or pair_y is None:
        scale_x /= max(images * height * (width - 1), 1)
        scale_y /= max(images * (height - 1) * width, 1)
    rows = _rows(source)
    sums = _Sums(source.device)
    area_gradient = None
    if weights.areas:
        area_gradient = _area_pass(source, batch, weights, rows, sums)

    for image in range(images):
        above: Tensor | None = None
        for start in range(0, height, rows):
            stop = min(start + rows, height)
            chunk = source.rows(image, start, min(stop + 1, height))
            body = chunk[: stop - start]
            at = (image, slice(start, stop))
            slope, labels[at] = _pixelwise(body, pixels, at, area_gradient, sums)
            _horizontal(body, slope, scale_x, _take(pair_x, at), sums)
            pairs_at = (image, slice(start, start + len(chunk) - 1))
            above = _vertical(chunk, slope, scale_y, _take(pair_y, pairs_at), above, sums)
            source.add(image, start, slope)
    return sums.values(weights)


def _pixelwise(
    body: Tensor,
    pixels: _PixelWeights,
    at: tuple[int, slice],
    area_gradient: Tensor | None,
    sums: _Sums,
) -> tuple[Tensor, Tensor]:
    """Gradient of the pixelwise terms on rows ``at``, and labels; values go to ``sums``."""
    labels = body.argmax(dim=-1, keepdim=True)
    if not pixels.any:
        return torch.zeros_like(body), labels[..., 0]
    peak = body.amax(dim=-1, keepdim=True)
    targets = labels
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
        area_gradient = area_gradient.to(slope.dtype)
        pull = area_gradient - slope @ area_gradient.unsqueeze(-1)
        slope.mul_(pull.mul_(_take(pixels.area, at)).add_(onehot))
    return slope.scatter_add_(-1, targets, -onehot), labels[..., 0]


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
    source: ResponseRows, batch: Batch, weights: StreamedWeights, rows: int, sums: _Sums
) -> Tensor:
    """Add the area terms to ``sums``; return their gradient in the soft areas, (K,)."""
    images, height, _, components = source.shape
    areas = torch.zeros(components, dtype=sum_type(source.device), device=source.device)
    counts = torch.zeros(components, dtype=torch.int64, device=source.device)
    for image in range(images):
        for start in range(0, height, rows):
            body = source.rows(image, start, min(start + rows, height))
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
    return area_gradients(areas, present, largest=weights.max_area, smallest=weights.min_area)


def _pixel_weights(
    shape: tuple[int, int, int, int], batch: Batch, weights: StreamedWeights
) -> _PixelWeights:
    everywhere = math.prod(shape[:3])
    unlabelled, labelled = batch.unlabelled(), batch.labelled()
    area: Tensor | float = 1.0 / everywhere
    if batch.region is not None:
        area = _share(batch.region, 1.0)
    return _PixelWeights(
        any=weights.pixelwise,
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


def _rows(source: ResponseRows) -> int:
    _, height, width, components = source.shape
    if source.device.type != "cpu":
        return height
    return max(CHUNK_ELEMENTS // (width * components), 1)


class _Sums:
    """Running sums of the terms, on the device, in float64."""

    def __init__(self, device: torch.device) -> None:
        self._zero = torch.zeros((), dtype=sum_type(device), device=device)
        self._values: dict[str, Tensor] = {}

    def add(self, name: str, value: Tensor) -> None:
        self._values[name] = self._values.get(name, self._zero) + value

    def values(self, weights: StreamedWeights) -> dict[str, Tensor]:
        return self._values or {"similarity": self._zero * weights.similarity}
