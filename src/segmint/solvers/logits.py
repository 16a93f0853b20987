"""Logits at the size of what they are compared with."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from segmint.objectives.batch import Batch
from segmint.objectives.precision import widened


def sized(logits: Tensor, size: tuple[int, ...]) -> Tensor:
    """Logits (N, K, h, w) at another size (H, W), between their pixels' centers.

    Where they change they become float32, or stay float64.
    """
    if logits.shape[-2:] == size:
        return logits
    return functional.interpolate(widened(logits), size, mode="bilinear", align_corners=False)


def logits_size(batch: Batch) -> tuple[int, ...]:
    """Height and width at which objectives see the logits of a batch: that of its masks."""
    return batch.image.shape[-2:] if batch.mask is None else batch.mask.shape[-2:]
