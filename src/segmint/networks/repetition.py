"""Convolution of features whose pixels are repeated, mostly without repeating them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_PIXELS_TO_FOLD = 1000
"""Coarse pixels from which on folding costs less than the larger kernel takes to prepare."""


def convolve_repeated(coarse: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """What a convolution makes of coarse features with each pixel repeated, 2x2 times.

    Args:
        coarse: (N, C, H, W).
        weight: (P, C, k, k) with k 2 or 3; zeros lie outside, for k 2 to the right and below.
        bias: (P,).

    Returns:
        (N, P, 2 H, 2 W).
    """
    size = weight.shape[-1]
    # A recording for all sizes cannot choose by the size.
    if torch.compiler.is_exporting() or coarse[0, 0].numel() >= _PIXELS_TO_FOLD:
        placed = {"stride": 2, "padding": 1, "output_padding": 3 - size}
        return functional.conv_transpose2d(coarse, _folded(weight), bias, **placed)
    repeated = functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
    before = (size - 1) // 2
    sides = (before, size - 1 - before)
    return functional.conv2d(functional.pad(repeated, (*sides, *sides)), weight, bias)


def _folded(weight: Tensor) -> Tensor:
    """The kernel, a pixel larger, that does in strides of 2 what a kernel does on repeated pixels.

    A 3x3 kernel has 4 products a pixel instead of 9 then, a 2x2 kernel 9 for 4 pixels instead of
    16, and the repeated pixels are never written.
    """
    for sides in ((0, 1, 0, 0), (0, 0, 0, 1)):
        before = functional.pad(weight, (sides[1], sides[0], sides[3], sides[2]))
        weight = functional.pad(weight, sides) + before
    return weight.flip(2, 3).transpose(0, 1)
