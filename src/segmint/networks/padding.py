"""Images of any size for networks that halve them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import EllipsisType

import torch
from torch import Tensor
from torch.nn import functional

Window = tuple[EllipsisType, slice, slice]
"""Index of the last two axes of a tensor."""

_is_done: ContextVar[bool] = ContextVar("padding is done", default=False)


def padded(image: Tensor, step: int, least: int = 0) -> tuple[Tensor, Window]:
    """The image, its border repeated on all sides to a size that a network takes.

    Args:
        image: (N, C, H, W).
        step: height and width become multiples of it.
        least: height and width become at least this.

    Returns:
        The larger image, channels-last, and where the given one lies in it.

    Example:
        >>> larger, window = padded(torch.zeros(1, 3, 13, 8), step=4)
        >>> larger.shape, larger[window].shape
        (torch.Size([1, 3, 16, 8]), torch.Size([1, 3, 13, 8]))
    """
    if _is_done.get():
        return image, (..., slice(None), slice(None))
    height, width = image.shape[-2:]
    more_rows, more_columns = (-max(size, least) % step for size in (height, width))
    more_rows += max(least - height, 0)
    more_columns += max(least - width, 0)
    top, left = more_rows // 2, more_columns // 2
    if more_rows or more_columns:
        sides = (left, more_columns - left, top, more_rows - top)
        image = functional.pad(image, sides, mode="replicate")
    window = (..., slice(top, top + height), slice(left, left + width))
    return image.contiguous(memory_format=torch.channels_last), window


@contextmanager
def already_padded() -> Iterator[None]:
    """Let networks take images as they are, because whoever calls has padded them.

    A graph that is recorded once for all sizes cannot decide by the size whether to pad.

    Example:
        >>> with already_padded():
        ...     padded(torch.zeros(1, 3, 12, 8), step=4)[0].shape
        torch.Size([1, 3, 12, 8])
    """
    token = _is_done.set(True)
    try:
        yield
    finally:
        _is_done.reset(token)
