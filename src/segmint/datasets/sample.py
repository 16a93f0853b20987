"""One image with its mask, as a data set gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """An image and what is known about its pixels, at native size."""

    image: NDArray[Any]
    """(H, W, C) in the type and range of its file."""
    mask: NDArray[np.uint8]
    """(H, W) classes 0 to K - 1, or the data set's ``ignore_index``."""
    region: NDArray[np.bool_] | None = None
    """(H, W): where to look; None is everywhere."""
    name: str = ""
    """Of the image, for messages and results; the path of its file where it has one."""
