"""What the terms of an objective may look at beside the logits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor

IGNORE_INDEX = 255


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Images with whatever is known about their pixels.

    A pixel with a label in ``mask`` feeds the supervised terms, a pixel without one the label-free
    terms; pixels outside ``region`` feed none.
    """

    image: Tensor
    """(N, C, H, W) float."""
    mask: Tensor | None = None
    """(N, H, W) integers; ``ignore_index`` where nothing is known."""
    region: Tensor | None = None
    """(N, H, W) boolean: where to look."""
    prior_means: Tensor | None = None
    """(K, C) mean of each channel that each component should have, where that is known."""
    ignore_index: int = IGNORE_INDEX
    names: tuple[str, ...] = ()
    """Of the N images, for messages."""
    without_mask: int = 0
    """How many of the N images, the last ones, came without a mask: theirs is ``ignore_index``
    everywhere, and objectives of labels leave them out."""

    def masked_part(self) -> Self:
        """The batch without the images that came without a mask."""
        if not self.without_mask:
            return self
        count = len(self.image) - self.without_mask
        return replace(
            self,
            image=self.image[:count],
            mask=None if self.mask is None else self.mask[:count],
            region=None if self.region is None else self.region[:count],
            names=self.names[:count],
            without_mask=0,
        )

    def labelled(self) -> Tensor | None:
        """(N, H, W) boolean: inside the region and labelled; None when there is no mask."""
        if self.mask is None:
            return None
        known = self.mask != self.ignore_index
        return known if self.region is None else known & self.region

    def unlabelled(self) -> Tensor | None:
        """(N, H, W) boolean: inside the region without a label; None when that is everywhere."""
        if self.mask is None:
            return self.region
        unknown = self.mask == self.ignore_index
        return unknown if self.region is None else unknown & self.region
