"""Batches that are too small for batch normalization."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from segmint.errors import UsageError

_REFUSAL = "Expected more than 1 value per channel when training"
"""How torch begins what it says of a single value, which has no spread to divide by."""


@contextmanager
def enough_values(image: Tensor) -> Iterator[None]:
    """Say in the user's words that batch normalization met a single value per channel.

    It does in training where one image has become one pixel: in the coarsest level of a small crop,
    or in a branch that pools the whole image, as DeepLabV3 has. Two images are always enough.

    Raises:
        UsageError: in place of torch's ``ValueError``.
    """
    try:
        yield
    except ValueError as error:
        if not str(error).startswith(_REFUSAL):
            raise
        height, width = image.shape[-2:]
        raise UsageError(
            f"a batch of {len(image)} image of {height}x{width} pixels leaves batch normalization "
            "a single value per channel, accepted in training are 2 images or more: raise the "
            "batch size"
        ) from error
