"""Networks that only predict: normalization goes into the convolutions, and values may be short."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn

from segmint.networks.banded import BandedUNet
from segmint.networks.normalization import Normalization
from segmint.networks.plain_kernels import plain_kernels
from segmint.networks.unet import UNet
from segmint.networks.unet_original import OriginalUNet

_PROBE = 64
"""Least side of the random image on which a change is tried."""
_SAME = 1e-4
"""Largest difference, of the mean answer, that folding may make; rounding makes 1e-6."""
_COARSER = 1.5
"""How many times the error of mixed precision that of short values throughout may be."""


def deployed(network: nn.Module, dtype: torch.dtype = torch.float32) -> Deployed:
    """The network as a function that predicts, quicker than the network itself.

    Batch normalization is folded into the convolution before it, and large maps of a U-Net are
    computed in bands of rows. In bfloat16 all values are, and not only those of convolutions as
    under ``torch.autocast``, which is what is taken where a network cannot do that or its answers
    suffer.

    Args:
        network: tells its ``configuration`` with ``in_channels``; it stays as it is, and later
            changes of it do not reach what is returned.
        dtype: of the arithmetic.

    Returns:
        Logits (N, K, H, W) float32 of images (N, C, H, W) float32, both where the network is. In
        float32 they differ from the network's by rounding alone.

    Example:
        >>> from segmint.networks import build
        >>> respond = deployed(build("unet", features=2, levels=1, classes=5))
        >>> respond(torch.zeros(1, 3, 13, 8)).shape
        torch.Size([1, 5, 13, 8])
    """
    probe = _probe(network)
    plain = Deployed(copy.deepcopy(network))
    with plain_kernels():
        expected = plain(probe)
        own = Deployed(_restructured(plain.network))
        if _difference(own, probe, expected) > _SAME:
            own = Deployed(copy.deepcopy(network))
    if dtype == torch.float32:
        return own
    mixed = Deployed(own.network, mixed=dtype)
    try:
        short = Deployed(copy.deepcopy(own.network), dtype)
        error = _difference(short, probe, expected)
    except RuntimeError:
        return mixed
    return short if error <= _COARSER * _difference(mixed, probe, expected) else mixed


class Deployed(nn.Module):
    """A network that answers in float32, whatever it computes in.

    Args:
        network: becomes its own, in evaluation mode.
        dtype: of all values.
        mixed: of convolutions and products alone, under ``torch.autocast``.
    """

    def __init__(
        self,
        network: nn.Module,
        dtype: torch.dtype = torch.float32,
        *,
        mixed: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.network.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._dtype, self._mixed = dtype, mixed

    def without_values(self) -> Deployed:
        """The same for shapes alone, on torch's device ``meta``; there mixed types are long."""
        return Deployed(copy.deepcopy(self.network).to("meta"), self._dtype)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (N, K, H, W) float32 of images (N, C, H, W)."""
        image = image.to(dtype=self._dtype, memory_format=torch.channels_last)
        arithmetic: AbstractContextManager[object] = nullcontext()
        if self._mixed is not None:
            arithmetic = torch.autocast(image.device.type, dtype=self._mixed)
        with torch.inference_mode(), arithmetic:
            return cast(Tensor, self.network(image).float())


def _probe(network: nn.Module) -> Tensor:
    """A random image (1, C, h, w) that the network takes."""
    configuration: Any = network.configuration
    step, least = int(getattr(network, "step", 1)), int(getattr(network, "least", 0))
    side = max(_PROBE, least) if getattr(network, "most", None) is None else step
    side += -side % step
    size = (1, configuration["in_channels"], side, side)
    image = torch.randn(size, generator=torch.Generator().manual_seed(0))
    return image.to(next(network.parameters()).device)


def _difference(respond: nn.Module, probe: Tensor, expected: Tensor) -> float:
    """Mean difference of answers, of the mean answer; infinite where answers are no numbers."""
    found = (respond(probe) - expected).abs().mean() / expected.abs().mean().clamp(min=1e-30)
    return float(found.nan_to_num(float("inf")))


def _restructured(network: nn.Module) -> nn.Module:
    """The same network with less to do; changed in place."""
    _fold_normalization(network)
    measures = any(isinstance(module, Normalization) for module in network.modules())
    on_gpu = next(network.parameters()).device.type != "cpu"
    if isinstance(network, UNet | OriginalUNet) and not measures and not on_gpu:
        return BandedUNet(network)
    return network


def _fold_normalization(network: nn.Module) -> None:
    """Make batch normalizations part of the convolutions that stand before them."""
    for parent in network.modules():
        for (_, convolution), (name, after) in pairwise(list(parent.named_children())):
            if _fit(convolution, after):
                _fold(cast(nn.Conv2d, convolution), cast(nn.BatchNorm2d, after))
                setattr(parent, name, _rest(after))


def _fit(convolution: nn.Module, after: nn.Module) -> bool:
    return (
        isinstance(convolution, nn.Conv2d)
        and isinstance(after, nn.BatchNorm2d)
        and (type(after) is nn.BatchNorm2d or _acts(after))
        and after.running_mean is not None
        and after.num_features == convolution.out_channels
    )


def _fold(convolution: nn.Conv2d, normalization: nn.BatchNorm2d) -> None:
    # In float64, because the product is rounded once more than either.
    mean, variance = (
        cast(Tensor, each).double()
        for each in (normalization.running_mean, normalization.running_var)
    )
    scale = (variance + normalization.eps).rsqrt()
    shift = -mean * scale
    if normalization.affine:
        scale = scale * normalization.weight.double()
        shift = shift * normalization.weight.double() + normalization.bias.double()
    if convolution.bias is not None:
        shift = shift + convolution.bias.double() * scale
    weight = convolution.weight.double() * scale[:, None, None, None]
    kind = convolution.weight.dtype
    convolution.weight = nn.Parameter(
        weight.to(kind).contiguous(memory_format=torch.channels_last), requires_grad=False
    )
    convolution.bias = nn.Parameter(shift.to(kind), requires_grad=False)


def _acts(normalization: nn.Module) -> bool:
    """Whether it is timm's, with an activation inside."""
    return type(normalization).__name__ == "BatchNormAct2d" and hasattr(normalization, "act")


def _rest(normalization: nn.Module) -> nn.Module:
    """What a normalization does besides normalizing."""
    if not _acts(normalization):
        return nn.Identity()
    return nn.Sequential(cast(Any, normalization).drop, cast(Any, normalization).act)
