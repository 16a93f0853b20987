"""The same pixels of several logits at once, in pieces that a processor's cache holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

CHUNK_ELEMENTS = 256 * 1024
"""Logits of a peer in a chunk on the CPU: 1 MiB of float32, the cache of a core."""


class Chunk(NamedTuple):
    """Some pixels: L of each of M images."""

    logits: list[Tensor]
    """(M, K, L) of each peer, of any type and strides."""
    slopes: list[Tensor | None]
    """Where the gradients of the logits go, likewise; None where there is no need of one."""
    counts: Tensor | None
    """(M, L) boolean: the pixel counts; None counts all."""
    labels: Tensor | None
    """(M, L) labels, where there is a mask."""


def dense(logits: Tensor) -> Tensor:
    """The logits (N, K, H, W), copied if they are neither planar nor channels-last."""
    return logits if logits.is_contiguous() or _is_interleaved(logits) else logits.contiguous()


def chunks(
    logits: Sequence[Tensor],
    slopes: Sequence[Tensor | None],
    counts: Tensor | None = None,
    labels: Tensor | None = None,
) -> Iterator[Chunk]:
    """Views that cover all pixels once; on another device than the CPU a single one.

    Args:
        logits: P of one shape (N, K, H, W), each :func:`dense`.
        slopes: of the same shapes and strides, or None.
        counts: (N, H, W) boolean.
        labels: (N, H, W) integers.
    """
    images, classes, height, width = logits[0].shape
    joined = all(_is_interleaved(peer) for peer in logits)
    groups, length = (1, images * height * width) if joined else (images, height * width)

    def planes(peer: Tensor) -> Tensor:
        if joined:
            return peer.permute(0, 2, 3, 1).view(1, length, classes).transpose(1, 2)
        return peer.view(images, classes, length)

    views = [planes(peer) for peer in logits]
    places = [None if slope is None else planes(slope) for slope in slopes]
    counts, labels = (
        None if known is None else known.reshape(groups, length) for known in (counts, labels)
    )
    pixels = groups * length
    if logits[0].device.type == "cpu":
        pixels = max(CHUNK_ELEMENTS // classes, 1)
    for group, span in _spans(groups, length, pixels):
        yield Chunk(
            [view[group, :, span] for view in views],
            [None if place is None else place[group, :, span] for place in places],
            None if counts is None else counts[group, span],
            None if labels is None else labels[group, span],
        )


def _spans(groups: int, length: int, pixels: int) -> Iterator[tuple[slice, slice]]:
    """Parts of about so many pixels: several whole groups, or a part of one."""
    if not groups * length:
        return
    step, together = min(pixels, length), max(pixels // length, 1)
    for group in range(0, groups, together):
        for start in range(0, length, step):
            yield slice(group, group + together), slice(start, start + step)


def _is_interleaved(logits: Tensor) -> bool:
    """Whether the classes of a pixel lie side by side."""
    return logits.is_contiguous(memory_format=torch.channels_last)
