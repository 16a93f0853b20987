"""The maps that region mutual information compares: one pair an image and class present in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from segmint.objectives.precision import widened
from segmint.objectives.rmi_options import RmiOptions
from segmint.objectives.rmi_pooling import pooled, pooled_one_hot

PUBLISHED_CLIP = 1e-6
"""Added to the probabilities by the published code."""


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
    sides = labels.shape[1:]
    labels = labels.clamp(max=classes).flatten(1)
    found = torch.zeros(len(labels), classes + 1, dtype=torch.bool, device=labels.device)
    found.scatter_(1, labels, True)
    found[:, classes] = True
    places = (found.cumsum(dim=1) - 1).gather(1, labels).unflatten(1, sides)
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

    The backward pass makes them again, image by image, so that they are never held at full size.
    """
    maps: Tensor = _PredictionMaps.apply(logits, images, options)  # type: ignore[no-untyped-call]
    return maps


class _PredictionMaps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, images: list[LabelledImage], options: RmiOptions
    ) -> Tensor:
        ctx.images, ctx.options = images, options
        ctx.save_for_backward(logits)
        return torch.cat(
            [_prediction(logits[_seen(image, options)], image, options) for image in images]
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (logits,) = ctx.saved_tensors
        total = torch.zeros_like(logits)
        parts = gradient.split([len(image.classes) for image in ctx.images])
        for image, part in zip(ctx.images, parts, strict=True):
            where = _seen(image, ctx.options)
            seen = logits[where].detach().requires_grad_()
            with torch.enable_grad():
                maps = _prediction(seen, image, ctx.options)
            (total[where],) = torch.autograd.grad(maps, seen, part)
        return total, None, None


def _seen(image: LabelledImage, options: RmiOptions) -> tuple[int | Tensor, ...]:
    """Index of the logits that the probabilities of an image depend on."""
    if options.activation == "softmax":
        return (image.number,)
    return (image.number, image.classes)


def _prediction(logits: Tensor, image: LabelledImage, options: RmiOptions) -> Tensor:
    logits = widened(logits)
    if image.counted is not None:
        # What does not count may hold what is no number.
        logits = logits.masked_fill(~image.counted, 0.0)
    if options.activation == "softmax":
        probabilities = logits.softmax(dim=0)[image.classes]
    else:
        probabilities = logits.sigmoid()
    if options.published:
        if image.counted is not None:
            probabilities = probabilities * image.counted
        probabilities = probabilities + PUBLISHED_CLIP
    return pooled(probabilities, options)
