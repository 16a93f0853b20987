"""U-Nets that predict the finest level in bands of rows, which takes less memory and time.

Most of what a U-Net holds are maps of the finest level. In bands they are small: they are used
again from the processor's cache, and need not be got from the system and given back each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.networks.levels import descend, rise
from segmint.networks.padding import padded

_BAND_VALUES = 2**22
"""About so many values one map of a band has."""
_MARGIN = 4
"""Further rows on both sides that a band needs: for two convolutions, and an even one before."""


class BandedUNet(nn.Module):
    """What a ``UNet`` or an ``OriginalUNet`` predicts, its finest level in bands of rows.

    Answers differ from the network's by rounding alone, as long as no normalization measures the
    image.

    Args:
        network: in evaluation mode; it is shared, not copied.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network: Any = network

    def forward(self, image: Tensor) -> Tensor:
        """Logits (N, K, H, W) of images (N, C, H, W) of any size."""
        network = self.network
        image, window = padded(image, network.step)
        bands = list(_bands(image.shape, network.down[0].first.out_channels))
        fine, coarse = self._descended(image, bands)
        across = descend(network.down[1:], coarse)
        coarse = (rise(network.up[:-1], across) if len(across) > 1 else across)[-1]
        return self._risen(coarse, fine, bands)[window]

    def _descended(self, image: Tensor, bands: list[_Band]) -> tuple[Tensor, Tensor]:
        """Features of the finest level, and the same halved."""
        rows, columns = image.shape[-2:]
        for band in bands:
            part = self.network.down[0](image[..., band.seen, :])[..., band.inside, :]
            if band is bands[0]:
                fine = _maps(part, rows, columns)
                halved = _maps(part, rows // 2, columns // 2)
            fine[..., band.place, :] = part
            halved[..., _halved(band.place), :] = functional.max_pool2d(part, 2)
        return fine, halved

    def _risen(self, coarse: Tensor, fine: Tensor, bands: list[_Band]) -> Tensor:
        """Logits from features of the finest level and of the one below."""
        network = self.network
        for band in bands:
            seen = coarse[..., _halved(band.seen), :], fine[..., band.seen, :]
            part = network.head(network.up[-1](*seen))[..., band.inside, :]
            if band is bands[0]:
                logits = _maps(part, *fine.shape[-2:])
            logits[..., band.place, :] = part
        return logits


class _Band(NamedTuple):
    place: slice
    """Rows of the image."""
    seen: slice
    """The same with a margin."""
    inside: slice
    """Of what is seen, the band itself."""


def _bands(shape: torch.Size, features: int) -> Iterator[_Band]:
    images, _, height, width = shape
    rows = max(8 * _MARGIN, _BAND_VALUES // (images * features * width) // 2 * 2)
    for start in range(0, height, rows):
        stop = min(start + rows, height)
        first, end = max(0, start - _MARGIN), min(height, stop + _MARGIN)
        yield _Band(slice(start, stop), slice(first, end), slice(start - first, stop - first))


def _maps(part: Tensor, rows: int, columns: int) -> Tensor:
    """Room for maps of which a part is known, channels-last."""
    shape = (*part.shape[:2], rows, columns)
    return torch.empty(
        shape, dtype=part.dtype, device=part.device, memory_format=torch.channels_last
    )


def _halved(rows: slice) -> slice:
    return slice(rows.start // 2, rows.stop // 2)
