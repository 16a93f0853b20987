"""The image at the size a solver works at, with its scribbles and region."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segmint.errors import UsageError
from segmint.methods.method import Task
from segmint.objectives.batch import IGNORE_INDEX, Batch


def working_size(shape: tuple[int, ...], pixels: int) -> tuple[int, int]:
    """Height and width of about so many pixels in the same proportions; never enlarged.

    Example:
        >>> working_size((300, 400), 30_000)
        (150, 200)
    """
    height, width = shape[:2]
    if pixels == 0 or height * width <= pixels:
        return height, width
    scale = (pixels / (height * width)) ** 0.5
    return max(round(height * scale), 1), max(round(width * scale), 1)


def to_input(image: NDArray[np.float32], device: torch.device) -> Tensor:
    """(H, W, C) as a channels-last tensor (1, C, H, W)."""
    tensor = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    return tensor.to(device).contiguous(memory_format=torch.channels_last)


def resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, C, H, W) at another size, antialiased, channels-last."""
    if image.shape[-2:] != size:
        image = functional.interpolate(image, size=size, mode="bilinear", antialias=True)
    return image.contiguous(memory_format=torch.channels_last)


def working_batch(
    image: NDArray[np.float32], task: Task, pixels: int, device: torch.device
) -> tuple[Batch, NDArray[np.int32]]:
    """A batch of one image of about so many pixels.

    Args:
        image: (H, W, C), normalized.
        task: with scribbles and region at full size.
        pixels: about how many; 0 keeps the size.
        device: where the batch goes.

    Returns:
        The batch, whose mask holds components 0, 1, ..., and the scribbled id of each.
    """
    size = working_size(image.shape, pixels)
    mask, region, ids = None, None, np.empty(0, np.int32)
    if task.region is not None:
        image = np.where(task.region[..., None], image, np.float32(0))
        region = np.zeros(size, np.bool_)
        region[_places(task.region, size)] = True
    if task.scribbles is not None:
        mask, ids = _reduced_scribbles(task.scribbles, size)
    batch = Batch(
        image=resized(to_input(image, device), size),
        mask=None if mask is None else torch.from_numpy(mask)[None].to(device),
        region=None if region is None else torch.from_numpy(region)[None].to(device),
    )
    return batch, ids


def _places(where: NDArray[np.bool_], size: tuple[int, int]) -> tuple[NDArray[np.intp], ...]:
    """Where the marked pixels fall in a map of another size, so that thin marks survive."""
    rows, columns = np.nonzero(where)
    return rows * size[0] // where.shape[0], columns * size[1] // where.shape[1]


def _reduced_scribbles(
    scribbles: NDArray[np.int32], size: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    marked = scribbles >= 0
    ids, components = np.unique(scribbles[marked], return_inverse=True)
    if len(ids) > IGNORE_INDEX:
        raise UsageError(f"scribbles hold {len(ids)} ids, accepted are at most {IGNORE_INDEX}")
    reduced = np.full(size, IGNORE_INDEX, np.int64)
    reduced[_places(marked, size)] = components
    return reduced, ids
