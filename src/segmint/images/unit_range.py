"""Values of any type brought to 0..1, by what is known of a whole image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class UnitRange:
    """How values of an image come to lie in 0..1.

    ``uint8`` is divided by 255 and ``uint16`` by 65535, so that pictures stay comparable. Other
    types stay as they are when already within 0..1, else their least and greatest finite values
    become 0 and 1. What is not finite becomes 0.

    Example:
        >>> UnitRange.of(np.array([-1.0, 3.0]))(np.array([1.0])).tolist()
        [0.5]
    """

    full: int | None = None
    """What becomes 1, of types that are divided by it."""
    low: float = np.inf
    """Least finite value."""
    high: float = -np.inf
    """Greatest finite value."""

    @staticmethod
    def follows_from(dtype: np.dtype[Any]) -> bool:
        """Whether the type alone decides, so that no value need be looked at."""
        return dtype in (np.uint8, np.uint16)

    @classmethod
    def of(cls, pixels: npt.NDArray[Any]) -> Self:
        """What the type and, where it alone does not decide, the values say."""
        if cls.follows_from(pixels.dtype):
            return cls(full=int(np.iinfo(pixels.dtype).max))
        values = pixels.astype(np.float64)
        finite = np.isfinite(values)
        return cls(
            low=float(np.min(values, where=finite, initial=np.inf)),
            high=float(np.max(values, where=finite, initial=-np.inf)),
        )

    def joined(self, other: UnitRange) -> UnitRange:
        """What two parts of an image say together."""
        return UnitRange(
            full=self.full if self.full is not None else other.full,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
        )

    def __call__(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Pixels, of any shape, in 0..1."""
        if self.full is not None:
            return pixels.astype(np.float32) / np.float32(self.full)
        values = pixels.astype(np.float64)
        finite = np.isfinite(values)
        if self.low < 0 or self.high > 1:
            values = between(values, self.low, self.high)
        return np.where(finite, values, 0).astype(np.float32)


def between(values: npt.NDArray[Any], low: Any, high: Any) -> npt.NDArray[Any]:
    """``low`` to 0 and ``high`` to 1; all 0 where they are equal."""
    width = np.asarray(high - low)
    scaled = (values - low) / np.where(width > 0, width, 1)
    return np.where(width > 0, scaled, 0)
