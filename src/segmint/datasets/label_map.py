"""From the values that masks store to the numbers of classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import IGNORE_INDEX
from segmint.errors import InputError

MOST_CLASSES = 255
"""Numbers of classes are 8-bit, and one of them means that a pixel does not count."""

_UNKNOWN = -1
_MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelMap:
    """The class of each stored value; a value that has none is refused."""

    table: NDArray[np.int16]
    """(256,): class of each 8-bit value, ``ignore_index``, or -1 for what is unknown."""
    others: Mapping[int, int]
    """The same of all values, for masks that are wider than 8 bits and for colors."""
    count: int
    """Of classes."""
    colored: bool = False
    """Stored values are colors, numbered 0xRRGGBB."""

    @classmethod
    def of(cls, numbers: Mapping[int, int], count: int, *, colored: bool = False) -> Self:
        """A map from stored value to class, or to ``ignore_index``.

        Example:
            >>> labels = LabelMap.of({0: 0, 255: 1}, 2)
            >>> labels(np.array([[0, 255]], np.uint8), Path("mask.png")).tolist()
            [[0, 1]]
        """
        table = np.full(256, _UNKNOWN, np.int16)
        for value, number in numbers.items():
            if 0 <= value < len(table):
                table[value] = number
        return cls(table=table, others=dict(numbers), count=count, colored=colored)

    def __call__(self, stored: NDArray[Any], path: Path) -> NDArray[np.uint8]:
        """Classes (H, W) of a mask as its file stores it.

        Args:
            stored: (H, W) whole numbers, or (H, W, 3) uint8 colors.
            path: its file, for messages.

        Raises:
            InputError: for a value that no class has, naming each with its pixels.
        """
        values = packed_colors(stored) if self.colored else grey_values(stored, path)
        narrow = values.dtype == np.uint8
        numbers = self.table[values] if narrow else self._numbers_of_wide(values)
        if numbers.min() < 0:
            raise self._unknown(values[numbers < 0], path)
        return numbers.astype(np.uint8)

    def _numbers_of_wide(self, values: NDArray[Any]) -> NDArray[np.int16]:
        keys = np.array(sorted(self.others), np.int64)
        numbers = np.array([self.others[key] for key in keys.tolist()], np.int16)
        places = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
        return np.where(keys[places] == values, numbers[places], np.int16(_UNKNOWN))

    def _unknown(self, values: NDArray[Any], path: Path) -> InputError:
        found, counts = np.unique(values, return_counts=True)
        what = "color" if self.colored else "label"
        named = ", ".join(
            f"{self._shown(value)} ({count} pixels)"
            for value, count in list(zip(found.tolist(), counts.tolist(), strict=True))[
                :_MOST_NAMED
            ]
        )
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        return InputError(
            f"mask {path} holds the {what} {named}{more}, which is none of the {self.count} "
            f"classes; {self._accepted()}: correct the mask, or add the missing class"
        )

    def _accepted(self) -> str:
        kept = sorted(value for value, number in self.others.items() if number != IGNORE_INDEX)
        ignored = sorted(value for value, number in self.others.items() if number == IGNORE_INDEX)
        text = f"accepted are {self._listed(kept)}"
        return f"{text}, and {self._listed(ignored)} for what does not count" if ignored else text

    def _listed(self, values: list[int]) -> str:
        if not self.colored and len(values) > 2 and values[-1] - values[0] == len(values) - 1:
            return f"{values[0]} to {values[-1]}"
        return ", ".join(map(self._shown, values))

    def _shown(self, value: int) -> str:
        return f"#{value:06x}" if self.colored else str(value)


def packed_colors(stored: NDArray[Any]) -> NDArray[np.int32]:
    """One number 0xRRGGBB a pixel from colors (H, W, 3), or from grey values (H, W).

    Example:
        >>> packed_colors(np.array([[[255, 0, 1]]], np.uint8)).tolist() == [[0xFF0001]]
        True
    """
    if stored.ndim == 2:
        return stored.astype(np.int32) * 0x010101
    red, green, blue = np.moveaxis(stored.astype(np.int32), -1, 0)
    return np.asarray(red << 16 | green << 8 | blue)


def grey_values(stored: NDArray[Any], path: Path) -> NDArray[Any]:
    """Values (H, W) of a mask that is not colored, though its file may have three channels.

    Raises:
        InputError: when it is colored.
    """
    if stored.ndim == 2:
        return stored
    if (stored == stored[..., :1]).all():
        return stored[..., 0]
    raise InputError(
        f"mask {path} is a color picture, accepted here is one number for each pixel: save it as "
        "8-bit grey or with a palette, the numbers of classes as values"
    )
