"""What every protocol is: the family of scores of one field, from one image to a whole set.

evidence = [protocol.measure(case) for case in cases if not protocol.unfit(case)]
for row in protocol.rows(evidence):
    row.name, row.value, row.protocol
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.metrics.annotators import checked
from segmint.metrics.contingency import size_text
from segmint.metrics.evaluation import ScoreRow
from segmint.metrics.values import check_shares, share_array

Evidence: TypeAlias = Any
"""What one image contributes: plain numbers and arrays, kept for all images and added up."""


LooksAt: TypeAlias = Literal["labels", "classes", "probabilities", "objects"]
"""``labels`` as they are; ``classes``, the same in labels and masks (components are matched first);
``probabilities``, in which the map of a class has its number in the masks; ``objects`` or segments
with numbers of their own (a data set makes them of a class map, and gives the numbers of its
annotators as masks)."""


_SHARES = {"probabilities": "probabilities", "strengths": "boundary strengths"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One image to be scored: what was found in it, and what is true.

    Raises:
        InputError: for labels or masks that are not integers, are without pixels or differ in size;
            for probabilities or strengths of another size, or other than floats from 0 to 1 in a
            pixel that counts.
    """

    name: str
    """The image or file, for messages."""
    labels: NDArray[np.integer]
    """(H, W) or (D, H, W), what was found; negative lies outside the region."""
    masks: tuple[NDArray[np.integer], ...]
    """The truth, one array an annotator, of the same shape; negative is not counted."""
    ignore_index: int | None
    """Value of the masks that is not counted, or None."""
    spacing: tuple[float, ...] | None = None
    """Millimeters (or another unit of the file) per step of each axis of ``labels``."""
    probabilities: NDArray[np.float32] | None = None
    """(K, H, W) or (K, D, H, W), of each class in each pixel, with a sum of 1."""
    strengths: NDArray[np.float32] | None = None
    """(H, W) strength of the boundaries of a hierarchy, 0 to 1 (ultrametric contour map)."""
    class_names: tuple[str, ...] = ()
    """Name of each class 0 to K - 1, where labels are classes of a data set."""

    def __post_init__(self) -> None:
        labels, masks = checked(self.labels, self.masks, self.name)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "masks", tuple(masks))
        for field, what in _SHARES.items():
            if getattr(self, field) is not None:
                object.__setattr__(self, field, self._checked_shares(field, what))

    @property
    def counted(self) -> NDArray[np.bool_]:
        """The pixels, of the shape of the labels, that count in any mask."""
        ignored = -1 if self.ignore_index is None else self.ignore_index
        counted = np.zeros(self.labels.shape, np.bool_)
        for mask in self.masks:
            counted |= (mask >= 0) & (mask != ignored)
        counted &= self.labels >= 0
        return counted

    def _checked_shares(self, field: str, what: str) -> NDArray[np.floating]:
        named = f"the {what} of {self.name}"
        shares = share_array(getattr(self, field), named)
        maps = shares[None] if field == "strengths" else shares
        if not maps.size or maps.shape[1:] != self.labels.shape:
            raise InputError(
                f"{named} are {size_text(shares)} and the labels {size_text(self.labels)}: "
                "accepted is one map, or of probabilities one a class, of the labels' size"
            )
        check_shares(shares, self.counted, named)
        return shares


@dataclass(frozen=True, kw_only=True)
class ScoreKind:
    """A score that a protocol gives, as tables call it."""

    name: str
    """Key of its row, ``hd95``; rows of single classes are called ``hd95_CLASS``."""
    title: str
    """What readers call it, ``HD95``."""
    better: Literal["higher", "lower"]
    perfect: float
    """Its value for a perfect prediction."""


def always_fits(case: Case) -> str:
    """Nothing but labels and masks is needed."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The scores of one field."""

    summary: str
    """One line on what is scored, and its source."""
    scores: tuple[ScoreKind, ...]
    """Every score that :attr:`rows` can give, those of single classes apart."""
    measure: Callable[[Case], Evidence]
    """What one image contributes; raises ``InputError`` for arrays that cannot be scored."""
    rows: Callable[[Sequence[Evidence]], list[ScoreRow]]
    """The scores of a set of images, one or more, whatever their order; of one image for a list of
    one. A score that no image of the set can have is left out."""
    unfit: Callable[[Case], str] = always_fits
    """One sentence on why a case cannot be scored so, empty where it can."""
    looks_at: LooksAt = "labels"
    """What the numbers of labels and masks must mean."""
