"""Sums over pixels of what depends on a pixel's own logits and label alone.

The obvious code makes several full-size float32 copies of the logits: their widened copy, softmax,
one-hot labels and the gradients of all three. Here a chunk that stays in the processor's cache is
widened, summed and forgotten, and the backward pass makes it again. Nothing is saved but the logits
themselves, and the gradient meets the upstream factor, a loss scale of float16 too, in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from segmint.objectives.precision import sum_type, widened

CHUNK_ELEMENTS = 256 * 1024
"""Elements of a chunk on the CPU: 1 MiB of float32, the cache of a core."""
FEW_CLASSES = 16
"""With fewer, a loop over pixels inside is quicker than one over classes; measured on a CPU."""


class Pixels(NamedTuple):
    """Some pixels of a batch."""

    logits: Tensor
    """(K, P), or (P, K) if ``dim`` is 1; float32 or float64."""
    targets: Tensor
    """(1, P) or (P, 1) int64: the label, 0 where there is none."""
    shares: Tensor
    """(1, P) or (P, 1): what each pixel counts, 0 where it has no label."""
    dim: int
    """Of the classes."""


class PixelSum(Protocol):
    """A sum over pixels, by chunks."""

    def value(self, pixels: Pixels) -> Tensor:
        """The sum over these pixels, of any shape, always the same."""
        ...

    def slope(self, pixels: Pixels, upstream: Tensor) -> Tensor:
        """Gradient in the logits of ``(value * upstream).sum()``, of the logits' shape."""
        ...


def pixel_sum(what: PixelSum, logits: Tensor, targets: Tensor, shares: Tensor) -> Tensor:
    """The sum over all pixels, differentiable once, in float32 or in float64 for such logits.

    Args:
        what: is summed.
        logits: (N, K, H, W), any floating type and memory layout.
        targets: (N, H, W) int64, 0 where there is no label.
        shares: (N, H, W) floating, 0 where there is no label.
    """
    dense = logits if _is_planar(logits) or _is_interleaved(logits) else logits.contiguous()
    total = _Sum.apply(  # type: ignore[no-untyped-call]
        dense, targets.contiguous(), shares.contiguous(), what
    )
    return cast(Tensor, total)


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, targets: Tensor, shares: Tensor, what: PixelSum
    ) -> Tensor:
        ctx.save_for_backward(logits, targets, shares)
        ctx.what = what
        precise = sum_type(logits.device)
        total = torch.zeros((), dtype=precise, device=logits.device)
        for chunk in _chunks(logits, targets, shares):
            total = total + what.value(_widened(chunk)).to(precise)
        return total.to(torch.promote_types(logits.dtype, torch.float32))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None, None]:
        logits, targets, shares = ctx.saved_tensors
        gradient = torch.empty_like(logits)
        places = _chunks(gradient, targets, shares)
        for place, chunk in zip(places, _chunks(logits, targets, shares), strict=True):
            pixels = _widened(chunk)
            slope = ctx.what.slope(pixels, upstream)
            place.logits.copy_(slope if pixels.dim == place.dim else slope.T)
        return gradient, None, None, None


def _chunks(logits: Tensor, targets: Tensor, shares: Tensor) -> Iterator[Pixels]:
    """Views of the logits in their own type, in the order of memory."""
    images, classes, height, width = logits.shape
    if _is_interleaved(logits):
        rows = logits.permute(0, 2, 3, 1).reshape(-1, classes)
        for where in _spans(len(rows), classes, logits.device):
            yield Pixels(rows[where], targets.view(-1, 1)[where], shares.view(-1, 1)[where], dim=1)
        return
    planes = logits.reshape(images, classes, height * width)
    for image in range(images):
        for where in _spans(height * width, classes, logits.device):
            at = (image, slice(None), where)
            yield Pixels(
                planes[at],
                targets.view(images, 1, -1)[at],
                shares.view(images, 1, -1)[at],
                dim=0,
            )


def _widened(chunk: Pixels) -> Pixels:
    logits, targets, shares, dim = chunk
    if dim == 1 and logits.shape[1] < FEW_CLASSES:
        return Pixels(widened(logits).T.contiguous(), targets.T, shares.T, dim=0)
    return chunk._replace(logits=widened(logits))


def _is_interleaved(logits: Tensor) -> bool:
    """Whether the classes of a pixel lie side by side."""
    return logits.is_contiguous(memory_format=torch.channels_last) and not _is_planar(logits)


def _is_planar(logits: Tensor) -> bool:
    return logits.is_contiguous()


def _spans(length: int, classes: int, device: torch.device) -> Iterator[slice]:
    step = length if device.type != "cpu" else max(CHUNK_ELEMENTS // classes, 1)
    for start in range(0, length, max(step, 1)):
        yield slice(start, min(start + step, length))
