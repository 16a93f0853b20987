"""Where made-up cells lie and which shape they have."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

KINDS = ("round cell", "elongated cell")
"""Names of the kinds 1 and 2."""

PLACES_TRIED = 40
"""Random places for a cell, of which the first that suits is taken."""

TOUCHING = 0.4
"""Share of the cells that look for a place beside another one."""

MOST_HIDDEN = 0.12
"""Share of a cell that others may hide."""

_ROUND, _LONG = 1, 2
_REACH = 24
"""Pixels from the center of a cell that its outline never reaches."""
_HARMONICS = np.arange(2, 5)


def draw_mask(
    shape: tuple[int, int], cells: int, generator: np.random.Generator
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Cells of both kinds that hide each other a little at most.

    Args:
        shape: rows and columns.
        cells: how many are tried.
        generator: of everything random.

    Returns:
        (H, W) numbers, 0 where there is no cell, and the kind of each number, 0 of the number 0.
    """
    # Cells at the edge of the picture reach into this margin, so that none needs to be cut.
    numbers = np.zeros((shape[0] + 2 * _REACH, shape[1] + 2 * _REACH), np.int32)
    kinds = [0]
    for _ in range(cells):
        kind = _LONG if generator.random() < 0.5 else _ROUND
        place = _free_place(numbers, stamp := _stamp(kind, generator), generator)
        if place is not None:
            numbers[place][stamp & (numbers[place] == 0)] = len(kinds)
            kinds.append(kind)
    return numbers[_REACH:-_REACH, _REACH:-_REACH].copy(), np.array(kinds, np.uint8)


def _free_place(
    numbers: npt.NDArray[np.int32], stamp: Booleans, generator: np.random.Generator
) -> tuple[slice, slice] | None:
    """A square for a cell: beside another one or apart from all; None when there was none."""
    from scipy.ndimage import binary_dilation

    wants_company = generator.random() < TOUCHING and bool(numbers.any())
    around = binary_dilation(stamp, iterations=2)
    for _ in range(PLACES_TRIED):
        top, left = (int(generator.integers(0, side - 2 * _REACH)) for side in numbers.shape)
        place = slice(top, top + len(stamp)), slice(left, left + len(stamp))
        taken = numbers[place] > 0
        if wants_company and 0 < taken[stamp].mean() <= MOST_HIDDEN:
            return place
        if not wants_company and not taken[around].any():
            return place
    return None


def _stamp(kind: int, generator: np.random.Generator) -> Booleans:
    """A round or an elongated, bent cell, turned, in the middle of a square."""
    down, right = np.ogrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1]
    angle = generator.uniform(0, 2 * np.pi)
    length, width = _axes(kind, generator)
    bend = generator.normal(0, 0.012) if kind == _LONG else 0.0
    along = down * np.cos(angle) + right * np.sin(angle)
    across = right * np.cos(angle) - down * np.sin(angle) + bend * along**2
    distance = np.hypot(along / length, across / width)
    turn = np.arctan2(across / width, along / length)
    return np.asarray(distance < 1 + _wobble(turn, generator))


def _axes(kind: int, generator: np.random.Generator) -> tuple[float, float]:
    """Half the length and half the width in pixels; both kinds have areas alike."""
    if kind == _ROUND:
        radius = generator.uniform(6, 11)
        return radius, radius * generator.uniform(0.88, 1)
    length = generator.uniform(12, 19)
    return length, length * generator.uniform(0.27, 0.36)


def _wobble(turn: Floats, generator: np.random.Generator) -> Any:
    """A small, smooth change of the radius along the outline."""
    phases = generator.uniform(0, 2 * np.pi, _HARMONICS.size)
    heights = generator.normal(0, 0.045, _HARMONICS.size)
    waves = np.cos(_HARMONICS * turn[..., np.newaxis] + phases)
    return waves @ heights
