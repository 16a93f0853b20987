"""Dilated convolutions that leave out, when they learn, what looks at padding alone.

A tap whose dilation nears the size of the map sees zeros nearly everywhere: of the 3x3 taps of rate
36 on a map of 28x28 all but the middle one. The forward pass and the gradient of the image leave
that out by themselves, the gradient of the weight does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

_PAYS_BELOW = {torch.bfloat16: 0.6, torch.float32: 0.4, torch.float64: 0.6}
"""Shares of the map inside which products of what is there are faster than the whole operator."""


class DilatedConv2d(nn.Conv2d):
    """A convolution whose weight learns from the part of the map that each tap reaches.

    The response is that of ``nn.Conv2d`` to the bit, and so is the gradient of the image; that of
    the weight is the same sum without its zeros. On a CPU, in training, it is taken where taps
    reach so little of the map that it is faster; everything else is ``nn.Conv2d``.

    Example:
        >>> convolution = DilatedConv2d(2, 3, 3, padding=6, dilation=6)
        >>> convolution(torch.ones(1, 2, 7, 7)).shape
        torch.Size([1, 3, 7, 7])
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (its name in nn.Conv2d)
        """Response (N, O, h, w) to a map (N, C, H, W)."""
        if not self._pays(input):
            return super().forward(input)
        # Casts outside of the function, so that their gradients are cast back.
        image, weight = (each.to(_computed_type(each)) for each in (input, self.weight))
        bias = None if self.bias is None else self.bias.to(_computed_type(self.bias))
        with torch.autocast("cpu", enabled=False):
            response = _Convolution.apply(  # type: ignore[no-untyped-call]
                image, weight, bias, self.padding, self.dilation
            )
        return cast(Tensor, response)

    def _pays(self, image: Tensor) -> bool:
        learns = self.training and torch.is_grad_enabled() and self.weight.requires_grad
        if not learns or image.device.type != "cpu" or image.dim() != 4:
            return False
        return _share_inside(self, image) < _PAYS_BELOW.get(_computed_type(image), 0.0)


def spare_padding(network: nn.Module) -> None:
    """Let the dilated convolutions of a network leave padding out when they learn.

    Modules, weights and their names stay what they are.

    Args:
        network: changed in place.
    """
    for module in network.modules():
        # What has a class of its own may compute otherwise.
        if type(module) is nn.Conv2d and _can_spare(module):
            module.__class__ = DilatedConv2d


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        image: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        padding: tuple[int, int],
        dilation: tuple[int, int],
    ) -> Tensor:
        ctx.save_for_backward(image, weight)
        ctx.padding, ctx.dilation = padding, dilation
        return nn.functional.conv2d(image, weight, bias, padding=padding, dilation=dilation)

    @staticmethod
    def backward(
        ctx: Any, slope: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        image, weight = ctx.saved_tensors
        of_image, of_weight, of_bias = ctx.needs_input_grad[:3]
        convolution = [(1, 1), ctx.padding, ctx.dilation, False, (0, 0), 1]
        image_gradient, _, bias_gradient = torch.ops.aten.convolution_backward(
            slope, image, weight, weight.shape[:1], *convolution, [of_image, False, of_bias]
        )
        weight_gradient = None
        if of_weight:
            with torch.autocast("cpu", enabled=False):
                weight_gradient = _weight_gradient(
                    image, slope, weight.shape, ctx.padding, ctx.dilation
                )
        return image_gradient, weight_gradient, bias_gradient, None, None


def _weight_gradient(
    image: Tensor,
    slope: Tensor,
    shape: torch.Size,
    padding: tuple[int, int],
    dilation: tuple[int, int],
) -> Tensor:
    """A matrix product of responses and what they saw for each tap, (O, C, kernel sides)."""
    outputs, channels, *kernel = shape
    seen, slopes = (
        each.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)
        for each in (image, slope)
    )
    gradient = image.new_zeros(outputs, *kernel, channels)
    down, across = (
        list(_reaches(seen.shape[axis], kernel[axis - 1], padding[axis - 1], dilation[axis - 1]))
        for axis in (1, 2)
    )
    for row in down:
        for column in across:
            upstream = slopes[:, row.out, column.out].reshape(-1, outputs)
            inside = seen[:, row.into, column.into].reshape(-1, channels)
            gradient[:, row.tap, column.tap] = upstream.T @ inside
    return gradient.permute(0, 3, 1, 2)


class _Reach(NamedTuple):
    """Where along an axis a tap sees the map, not its padding."""

    tap: int
    out: slice
    """Of the response."""
    into: slice
    """Of the map."""


def _reaches(size: int, kernel: int, padding: int, dilation: int) -> Iterator[_Reach]:
    """The taps along an axis that see anything of the map."""
    responses = _responses(size, kernel, padding, dilation)
    for tap in range(kernel):
        offset = tap * dilation - padding
        first, end = max(0, -offset), min(responses, size - offset)
        if first < end:
            yield _Reach(tap, slice(first, end), slice(first + offset, end + offset))


def _responses(size: int, kernel: int, padding: int, dilation: int) -> int:
    return size + 2 * padding - dilation * (kernel - 1)


def _share_inside(convolution: nn.Conv2d, image: Tensor) -> float:
    """Share of the products of a convolution that are with the map, not with its padding."""
    share = 1.0
    for axis in (0, 1):
        kernel, padding = convolution.kernel_size[axis], int(convolution.padding[axis])
        arguments = image.shape[2 + axis], kernel, padding, convolution.dilation[axis]
        inside = sum(reach.out.stop - reach.out.start for reach in _reaches(*arguments))
        share *= inside / max(1, kernel * _responses(*arguments))
    return share


def _can_spare(convolution: nn.Conv2d) -> bool:
    return (
        max(convolution.dilation) > 1
        and max(convolution.kernel_size) > 1
        and convolution.stride == (1, 1)
        and convolution.groups == 1
        and convolution.padding_mode == "zeros"
        and isinstance(convolution.padding, tuple)
    )


def _computed_type(part: Tensor) -> torch.dtype:
    """The type in which a convolution computes with its map, weight or bias."""
    if torch.is_autocast_enabled("cpu") and part.dtype != torch.float64:
        return torch.get_autocast_dtype("cpu")
    return part.dtype
