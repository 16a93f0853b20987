"""Batches to where networks compute."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from segmint.objectives.batch import Batch


def moved(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device, its images channels-last, the order that convolutions like best."""
    changes = {
        field.name: value.to(device, non_blocking=True)
        for field in dataclasses.fields(batch)
        if isinstance(value := getattr(batch, field.name), Tensor)
    }
    changes["image"] = changes["image"].contiguous(memory_format=torch.channels_last)
    return dataclasses.replace(batch, **changes)  # type: ignore[arg-type]
