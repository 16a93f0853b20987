"""Masks of validation images: checked, and at the size of what they are compared with."""

from __future__ import annotations

import dataclasses

from torch import Tensor
from torch.nn import functional

from segmint.errors import InputError
from segmint.objectives.batch import Batch


def checked_mask(batch: Batch, *, classes: int, ignore_index: int) -> Tensor:
    """The mask (N, H, W) of a batch, with ``ignore_index`` outside the region.

    Raises:
        InputError: when there is no mask, or it holds a class beyond the last.
    """
    of = f" of {batch.names[0]}" if batch.names else ""
    if batch.mask is None:
        raise InputError(f"there is no mask{of}: validation images need masks")
    mask = batch.mask
    if batch.region is not None:
        mask = mask.masked_fill(~batch.region, ignore_index)
    unknown = (mask != ignore_index) & ((mask >= classes) | (mask < 0))
    if bool(unknown.any()):
        raise InputError(
            f"the mask{of} holds label {int(mask[unknown][0])}, but there are {classes} "
            f"classes (0..{classes - 1}): pass ignore_index={int(mask[unknown][0])} or "
            "relabel"
        )
    return mask


def at_image_size(batch: Batch) -> Batch:
    """The batch with mask and region of the size of its images, for terms that look at both."""
    size = batch.image.shape[-2:]

    def nearest(values: Tensor | None) -> Tensor | None:
        if values is None or values.shape[-2:] == size:
            return values
        return functional.interpolate(values[:, None].float(), size, mode="nearest-exact")[:, 0].to(
            values.dtype
        )

    return dataclasses.replace(batch, mask=nearest(batch.mask), region=nearest(batch.region))
