"""What a mean over pixels has been divided by."""

from __future__ import annotations

import torch
from torch import Tensor

from segmint.objectives.batch import Batch
from segmint.objectives.objective import Objective

MEANS = frozenset({"bce", "cross_entropy", "focal"})
"""Terms that are means over the labelled pixels of a batch; overlaps and correlations are not."""


def counted_pixels(objective: Objective, batch: Batch) -> Tensor | None:
    """How many pixels an objective is the mean over; each counts by the weight of its class.

    Args:
        objective: of the logits and the batch.
        batch: with a mask.

    Returns:
        A scalar; None where the objective is no such mean, or one of terms that divide by
        different numbers.
    """
    known = batch.labelled()
    if known is None or batch.mask is None or not set(objective.names) <= MEANS:
        return None
    weights = {tuple(getattr(term, "weights", ())) for term in objective.terms}
    if len(weights) > 1:
        return None
    classes = next(iter(weights))
    if not classes:
        return known.sum()
    each = torch.tensor(classes, device=known.device)
    return (each[batch.mask.long().masked_fill(~known, 0)] * known).sum()
