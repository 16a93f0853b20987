"""Ground truth under the ids of a result, so that both can be shown in the same colors."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from segmint.images import Image
from segmint.images.prepared import UNCOUNTED
from segmint.methods.segmentation import Segmentation
from segmint.metrics import match


def truth_by_id(image: Image, found: Segmentation) -> NDArray[np.int32] | None:
    """The truth of a prepared image with the ids of a result, -1 where nothing counts.

    A class has the id of its name; where components have no names, the id that shares most pixels
    with it (Hungarian). A class without a counterpart gets an id that the result does not have.

    Args:
        image: with a mask, or None is returned.
        found: a segmentation of it.
    """
    if image.mask is None:
        return None
    if found.names:
        ids = {name: label for label, name in found.names.items()}
        known = {value: ids[name] for value, name in enumerate(image.class_names) if name in ids}
    else:
        known = {value: label for label, value in match(found.labels, image.mask).items()}
    free = itertools.count(max([int(found.labels.max()), *found.names]) + 1)
    table = np.full(UNCOUNTED + 1, -1, np.int32)
    for value in range(len(image.class_names)):
        table[value] = known[value] if value in known else next(free)
    return table[image.mask]
