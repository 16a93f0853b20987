"""The maps that region mutual information compares: one pair an image and class present in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from segmint.objectives.precision import widened
from segmint.objectives.rmi_options import RmiOptions
from segmint.objectives.rmi_pooling import pooled, pooled_gradient, pooled_one_hot

PUBLISHED_CLIP = 1e-6
"""Added to the probabilities by the published code."""

PIXELS_AT_ONCE = 2**19
"""Of maps at full size, so that they stay in the cache."""
MANY_PIXELS_AT_ONCE = 2**26
"""On accelerators, where many small steps cost more than memory."""


class LabelledImage(NamedTuple):
    """One image of a batch and the k classes that are in it."""

    number: int
    """In the batch."""
    classes: Tensor
    """(k,) in order, at least one."""
    labels: Tensor
    """(H, W) integers: which of ``classes``, k for none of them."""
    counted: Tensor | None
    """(H, W) boolean, the pixels that count; None where all do."""


def labelled_images(labels: Tensor, counted: Tensor | None, classes: int) -> list[LabelledImage]:
    """The images with a pixel that counts, and the classes of their counted pixels.

    Args:
        labels: (N, H, W) int64 from 0; those above ``classes`` - 1 are of no class.
        counted: (N, H, W) boolean; None counts all.
        classes: of the logits.
    """
    if counted is not None:
        labels = labels.masked_fill(~counted, classes)
    shape = labels.shape
    labels = labels.clamp(max=classes).flatten(1)
    found = torch.zeros(len(labels), classes + 1, dtype=torch.bool, device=labels.device)
    found.scatter_(1, labels, True)
    found[:, classes] = True
    places = (found.cumsum(dim=1) - 1).gather(1, labels).view(shape)
    present = [row.nonzero()[:, 0] for row in found[:, :classes]]
    return [
        LabelledImage(number, each, places[number], None if counted is None else counted[number])
        for number, each in enumerate(present)
        if len(each)
    ]


def truth_maps(images: list[LabelledImage], options: RmiOptions, dtype: torch.dtype) -> Tensor:
    """(P, h, w) pooled one-hot masks of the classes present, image by image."""
    return torch.cat(
        [pooled_one_hot(image.labels, len(image.classes), options, dtype) for image in images]
    )


def prediction_maps(logits: Tensor, images: list[LabelledImage], options: RmiOptions) -> Tensor:
    """(P, h, w) pooled probabilities of the classes present, in float32 or float64.

    The backward pass makes them again, a few at a time, so that they are never all held at full
    size.
    """
    parts = [part for image in images for part in _parts(logits, image, options)]
    maps: Tensor = _PredictionMaps.apply(logits, parts, options)  # type: ignore[no-untyped-call]
    return maps


class _PredictionMaps(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, parts: list[_Part], options: RmiOptions) -> Tensor:
        ctx.parts, ctx.options = parts, options
        ctx.save_for_backward(logits)
        return torch.cat(
            [_prediction(_seen(logits, part, options), part, options) for part in parts]
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (logits,) = ctx.saved_tensors
        total = torch.zeros_like(logits)
        gradients = torch.split(gradient, [len(part.classes) for part in ctx.parts])
        for part, upstream in zip(ctx.parts, gradients, strict=True):
            slope = _slope(_seen(logits, part, ctx.options), part, ctx.options, upstream)
            total[part.number].index_copy_(0, _needed(logits, part, ctx.options), slope)
        return total, None, None


def _slope(seen: Tensor, part: _Part, options: RmiOptions, upstream: Tensor) -> Tensor:
    """The gradient in the logits that were seen."""
    if options.activation == "sigmoid" and options.pooling in ("none", "average"):
        return _sigmoid_slope(seen, part, options, upstream)
    seen = seen.detach().requires_grad_()
    with torch.enable_grad():
        maps = _prediction(seen, part, options)
    (slope,) = torch.autograd.grad(maps, seen, upstream)
    return slope


def _sigmoid_slope(seen: Tensor, part: _Part, options: RmiOptions, upstream: Tensor) -> Tensor:
    """The same in closed form, which spares pooling the probabilities once more."""
    probabilities = _sigmoid(seen, part)
    slope = torch.ops.aten.sigmoid_backward(
        pooled_gradient(upstream, probabilities, options), probabilities
    )
    if part.counted is not None:
        slope.masked_fill_(~part.counted, 0.0)
    return cast(Tensor, slope.to(seen.dtype))


class _Part(NamedTuple):
    """A few of the classes of an image."""

    number: int
    classes: Tensor
    counted: Tensor | None


def _parts(logits: Tensor, image: LabelledImage, options: RmiOptions) -> Iterator[_Part]:
    """All classes of an image, or a few at a time where each is by itself and lies apart."""
    at_once = len(image.classes)
    if options.activation != "softmax" and logits.is_contiguous():
        pixels = PIXELS_AT_ONCE if logits.device.type == "cpu" else MANY_PIXELS_AT_ONCE
        at_once = max(1, pixels // image.labels.numel())
    for classes in torch.split(image.classes, at_once):
        yield _Part(image.number, classes, image.counted)


def _seen(logits: Tensor, part: _Part, options: RmiOptions) -> Tensor:
    """The logits that the probabilities depend on."""
    return logits[part.number].index_select(0, _needed(logits, part, options))


def _needed(logits: Tensor, part: _Part, options: RmiOptions) -> Tensor:
    """Classes of those logits: a softmax needs all."""
    if options.activation == "softmax":
        return torch.arange(logits.shape[1], device=logits.device)
    return part.classes


def _prediction(logits: Tensor, part: _Part, options: RmiOptions) -> Tensor:
    if options.activation == "softmax":
        probabilities = _cleared(logits, part).softmax(dim=0)[part.classes]
    else:
        probabilities = _sigmoid(logits, part)
    if options.published:
        if part.counted is not None:
            probabilities = probabilities * part.counted
        probabilities = probabilities + PUBLISHED_CLIP
    return pooled(probabilities, options)


def _sigmoid(logits: Tensor, part: _Part) -> Tensor:
    return _cleared(logits, part).sigmoid()


def _cleared(logits: Tensor, part: _Part) -> Tensor:
    """The logits, widened; what does not count may hold what is no number."""
    logits = widened(logits)
    return logits if part.counted is None else logits.masked_fill(~part.counted, 0.0)
