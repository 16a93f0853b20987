from __future__ import annotations

import numpy as np
from scipy import ndimage

from segmint.metrics.neighborhoods import STEPS, neighborhoods
from segmint.metrics.simple_points import simple_points

EIGHT = np.ones((3, 3))


def piece_counts(patch: np.ndarray) -> tuple[int, int]:
    """4-connected pieces of the interior and 8-connected ones of the background around it."""
    framed = np.pad(patch, 1)
    return ndimage.label(framed)[1], ndimage.label(~framed, EIGHT)[1]


def patch_of(ring: np.ndarray, middle: bool) -> np.ndarray:
    patch = np.zeros((3, 3), bool)
    patch[1, 1] = middle
    for inside, (down, right) in zip(ring, STEPS, strict=True):
        patch[1 + down, 1 + right] = inside
    return patch


def test_table_against_labelling_every_neighborhood() -> None:
    for simple, ring in zip(simple_points(), neighborhoods(), strict=True):
        patch = patch_of(ring, middle=False)
        cells = ndimage.label(patch)[0]
        touching = {cells[0, 1], cells[1, 0], cells[1, 2], cells[2, 1]} - {0}
        background = ~patch
        background[1, 1] = False
        assert simple == (len(touching) == 1 and ndimage.label(background, EIGHT)[1] == 1)


def test_simple_points_keep_the_numbers_of_pieces() -> None:
    """Others may keep them too, as when a piece is lost where another is made."""
    for simple, ring in zip(simple_points(), neighborhoods(), strict=True):
        if simple:
            assert piece_counts(patch_of(ring, True)) == piece_counts(patch_of(ring, False))


def test_how_many_there_are() -> None:
    """116 of 256 (Kong and Rosenfeld, Digital Topology, 1989)."""
    assert simple_points().sum() == 116
