"""The final numbers of the labels of a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from segmint.images.labels import stored_type
from segmint.inference.label_statistics import LabelStatistics


@dataclass(frozen=True, kw_only=True, eq=False)
class Numbering:
    """Which label becomes which id, and in which type ids are stored."""

    former: NDArray[np.int64]
    """(K,) the label of each id; those that do not occur come last."""
    ids: tuple[int, ...]
    """Those that occur."""
    dtype: np.dtype[Any]
    """The smallest that leaves its greatest value for pixels outside the region."""

    @classmethod
    def by_area(cls, statistics: LabelStatistics) -> Self:
        """From the largest to the smallest, those of equal area in reading order.

        The rule of :func:`segmint.regions.ordering.order_by_area` for whole arrays.
        """
        order = np.lexsort((statistics.first, -statistics.counts))
        count = len(statistics.present)
        return cls(former=order, ids=tuple(range(count)), dtype=stored_type(count - 1))

    @classmethod
    def as_it_is(cls, statistics: LabelStatistics) -> Self:
        """Each label its own id."""
        ids = tuple(statistics.present.tolist())
        former = np.arange(len(statistics.counts))
        return cls(former=former, ids=ids, dtype=stored_type(max(ids, default=0)))

    def stored(self, labels: NDArray[np.unsignedinteger[Any]]) -> NDArray[Any]:
        """Ids as a label file has them; labels from K on become its value for outside."""
        classes = len(self.former)
        table = np.full(classes + 1, np.iinfo(self.dtype).max, self.dtype)
        table[self.former[list(self.ids)]] = self.ids
        return np.asarray(table[np.minimum(labels, classes)])

    def names(self, of_labels: Mapping[int, str]) -> dict[int, str]:
        """Names of the ids, from those of the labels."""
        return {
            index: of_labels[label]
            for index, label in enumerate(self.former.tolist())
            if label in of_labels
        }
