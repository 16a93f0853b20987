"""A response learned at a working size, brought to the size of the image.

A response of 100 channels at full size would not fit into memory for a large image, so it comes
in blocks of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

BLOCK_ELEMENTS = 16 * 1024 * 1024
"""Elements of a block of rows: 64 MiB of float32."""


class FullResponse(Protocol):
    """A response at the size of the image."""

    shape: tuple[int, int, int]
    """(K, H, W)."""

    def blocks(self) -> Iterator[tuple[slice, Tensor]]:
        """Rows, and the response (K, rows, W) there."""
        ...


class Enlarged:
    """Bilinear enlargement, or by the nearest pixel.

    Args:
        response: (K, h, w) float32.
        size: height and width of the image, at least h and w.
        smooth: bilinear; the nearest pixel loses none of the response.
    """

    def __init__(self, response: Tensor, size: tuple[int, int], *, smooth: bool = True) -> None:
        self._response = response
        self._smooth = smooth
        self.shape = (len(response), *size)

    def blocks(self) -> Iterator[tuple[slice, Tensor]]:
        """Rows, and the response (K, rows, W) there."""
        response = self._response
        _, height, width = self.shape
        if response.shape[1:] == (height, width):
            yield slice(0, height), response
            return
        for rows in _row_slices(self.shape):
            at = torch.arange(rows.start, rows.stop, device=response.device)
            if not self._smooth:
                columns = torch.arange(width, device=response.device) * response.shape[2] // width
                yield rows, response[:, at * response.shape[1] // height][..., columns]
                continue
            source = (at + 0.5) * (response.shape[1] / height) - 0.5
            source = source.clamp(0, response.shape[1] - 1)
            above = source.floor().long()
            below = (above + 1).clamp(max=response.shape[1] - 1)
            share = (source - above)[None, :, None]
            mixed = torch.lerp(response[:, above], response[:, below], share)
            # The number of rows fits already, so this enlarges the width alone.
            wide = functional.interpolate(mixed[None], size=(len(at), width), mode="bilinear")
            yield rows, wide[0]


class Snapped:
    """The mean of a response in each superpixel, so that components end where the image changes.

    Kanezaki, "Unsupervised Image Segmentation by Backpropagation", ICASSP 2018, section 3.3, gives
    each superpixel the label of the majority of its pixels; the mean response decides ties better.

    Args:
        response: at full size.
        superpixels: (H, W) integers from 0.
    """

    def __init__(self, response: FullResponse, superpixels: NDArray[np.int32]) -> None:
        self.shape = response.shape
        self._superpixels = torch.from_numpy(superpixels.astype(np.int64))
        counts = torch.bincount(self._superpixels.flatten())
        sums = torch.zeros(len(counts), self.shape[0])
        for rows, block in response.blocks():
            index = self._superpixels[rows].flatten()
            sums.index_add_(0, index, block.flatten(1).T.cpu().float())
        self._means = sums / counts.clamp(min=1)[:, None]

    def blocks(self) -> Iterator[tuple[slice, Tensor]]:
        """Rows, and the response (K, rows, W) there."""
        for rows in _row_slices(self.shape):
            yield rows, self._means[self._superpixels[rows]].movedim(-1, 0)

    def labels(self) -> NDArray[np.int32]:
        """(H, W) channel of the largest response."""
        best = self._means.argmax(dim=1).to(torch.int32)
        labels: NDArray[np.int32] = best[self._superpixels].numpy()
        return labels


def labels_of(response: FullResponse) -> NDArray[np.int32]:
    """(H, W) channel of the largest response."""
    if isinstance(response, Snapped):
        return response.labels()
    labels = np.empty(response.shape[1:], np.int32)
    for rows, block in response.blocks():
        labels[rows] = block.argmax(dim=0).to(torch.int32).cpu().numpy()
    return labels


def probabilities_of(response: FullResponse, components: NDArray[np.int32]) -> NDArray[np.float32]:
    """(components, H, W) softmax of the response, summed over the channels of a component.

    Args:
        response: at full size.
        components: (K,) component of each channel, -1 for channels that are left out.
    """
    kept = np.flatnonzero(components >= 0)
    groups = torch.from_numpy(components[kept].astype(np.int64))
    count = int(components.max()) + 1
    probabilities = np.empty((count, *response.shape[1:]), np.float32)
    for rows, block in response.blocks():
        shares = block[kept].cpu().float().softmax(dim=0)
        summed = torch.zeros(count, *shares.shape[1:]).index_add_(0, groups, shares)
        probabilities[:, rows] = summed.numpy()
    return probabilities


def _row_slices(shape: tuple[int, int, int]) -> Iterator[slice]:
    components, height, width = shape
    step = max(BLOCK_ELEMENTS // (components * width), 1)
    for start in range(0, height, step):
        yield slice(start, min(start + step, height))
