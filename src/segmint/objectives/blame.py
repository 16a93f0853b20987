"""Why an objective is no number: which terms, which images, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from segmint.errors import InputError
from segmint.objectives.batch import Batch

MOST_NAMES = 8
"""Images that a message names at most."""


def not_finite(
    values: Mapping[str, Tensor], response: Sequence[Tensor], batch: Batch
) -> InputError:
    """The error that says why.

    Args:
        values: of the terms.
        response: what the terms were computed on; a tensor with as many items as the batch has
            images speaks of each image alone.
        batch: image, region and names.
    """
    terms = [
        f"{name} {float(value)}" for name, value in values.items() if not bool(value.isfinite())
    ]
    what = f"the objective is not finite ({', '.join(terms) or 'the sum of its terms'})"
    image = batch.image
    if batch.region is not None:
        image = image.masked_fill(~batch.region.unsqueeze(1), 0.0)
    broken = _not_finite(image)
    if broken:
        return InputError(
            f"{what}: the pixels of {_names(broken, batch)} are not all finite: check "
            f"{'that file' if len(broken) == 1 else 'those files'}"
        )
    everything = list(range(len(batch.image)))
    cures = "lower the learning rate, clip the gradient or compute in float32"
    if all(bool(tensor.isfinite().all()) for tensor in response):
        return InputError(
            f"{what} for {_names(everything, batch)}, though image and logits are: {cures}"
        )
    lost = sorted({n for each in response if len(each) == len(image) for n in _not_finite(each)})
    return InputError(
        f"{what}: the logits of {_names(lost or everything, batch)} already were not: {cures}"
    )


def _not_finite(tensor: Tensor) -> list[int]:
    """The images of which some value is not finite."""
    broken = ~torch.isfinite(tensor).flatten(1).all(dim=1)
    return [int(number) for number in broken.nonzero()[:, 0]]


def _names(images: Sequence[int], batch: Batch) -> str:
    known = len(batch.names) == len(batch.image)
    names = [batch.names[n] if known else f"image {n + 1} of the batch" for n in images]
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
