"""U-Nets that predict large maps in bands of rows, which takes less memory and time.

Most of what a U-Net holds is for a moment between two convolutions. In bands that is little, and
its memory need not be got from the system and given back each time, which takes a while as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.networks.padding import padded

_BAND_VALUES = 2**22
"""About so many values one map of a band has."""
_MARGIN = 4
"""Further rows on both sides that a band needs: for two convolutions, and an even one before."""


class BandedUNet(nn.Module):
    """What a ``UNet`` or an ``OriginalUNet`` predicts, in bands of rows where maps are large.

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
        image, window = padded(image, self.network.step)
        return self._answer(0, image)[window]

    def _answer(self, level: int, image: Tensor) -> Tensor:
        """Features after the way down and up again from a level on; of the finest, logits."""
        network = self.network
        if level == len(network.up):
            return cast(Tensor, network.down[level](image))
        fine, halved = self._descended(level, image)
        return self._risen(level, self._answer(level + 1, halved), fine)

    def _descended(self, level: int, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features of a level, and the same halved."""
        block = self.network.down[level]
        fine, halved = _Maps(*image.shape[-2:]), _Maps(*(side // 2 for side in image.shape[-2:]))
        for band in _bands(image.shape, block.first.out_channels):
            part = block(image[..., band.seen, :])[..., band.inside, :]
            fine.put(band.place, part)
            halved.put(_halved(band.place), functional.max_pool2d(part, 2))
        return fine.all, halved.all

    def _risen(self, level: int, coarse: Tensor, fine: Tensor) -> Tensor:
        """What the way up makes of features of a level and of the one below."""
        rise = self.network.up[-1 - level]
        risen = _Maps(*fine.shape[-2:])
        for band in _bands(fine.shape, fine.shape[1]):
            part = rise(coarse[..., _halved(band.seen), :], fine[..., band.seen, :])
            if level == 0:
                part = self.network.head(part)
            risen.put(band.place, part[..., band.inside, :])
        return risen.all


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


class _Maps:
    """Maps that come in bands of rows."""

    all: Tensor

    def __init__(self, rows: int, columns: int) -> None:
        self._size = rows, columns

    def put(self, place: slice, part: Tensor) -> None:
        """Take rows; a band that is all rows is not copied."""
        if part.shape[-2:] == self._size:
            self.all = part
            return
        if place.start == 0:
            shape = *part.shape[:2], *self._size
            last = torch.channels_last
            self.all = torch.empty(shape, dtype=part.dtype, device=part.device, memory_format=last)
        self.all[..., place, :] = part


def _halved(rows: slice) -> slice:
    return slice(rows.start // 2, rows.stop // 2)
