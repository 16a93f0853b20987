"""Reference: nibabel's own reorientation to the directions that the picture shall have."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

from segmint.images import Image
from segmint.images.viewing import fullest_slice, upright

WANTED = {
    frozenset("LRAP"): "PL",
    frozenset("LRSI"): "IL",
    frozenset("APSI"): "IP",
}
"""Where rows and columns lead in a picture of these two axes."""

CODES = ["LPS", "RAS", "LAS", "PSR", "ASL", "IRP", "SLA", "RSA", "PLI"]


def pair_of(code: str) -> str:
    return next(pair for pair in ("LR", "AP", "SI") if code in pair)


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("stack", [False, True])
def test_as_nibabel_turns_it(codes: str, stack: bool) -> None:
    volume = np.random.default_rng(0).normal(size=(4, 5, 3))
    affine = nibabel.orientations.inv_ornt_aff(
        ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes)), (4, 5, 3)
    )
    affine = np.linalg.inv(affine)
    if nibabel.aff2axcodes(affine) != tuple(codes):
        affine = np.linalg.inv(affine)
    assert nibabel.aff2axcodes(affine) == tuple(codes)
    rows, columns = WANTED[frozenset(pair_of(codes[0]) + pair_of(codes[1]))]
    target = axcodes2ornt(rows + columns + codes[2])
    turned = nibabel.orientations.apply_orientation(
        volume, ornt_transform(io_orientation(affine), target)
    )
    pixels = np.moveaxis(volume, 2, 0)[..., None]
    expected = np.moveaxis(turned, 2, 0)
    image = Image(
        pixels=pixels if stack else pixels[1], affine=affine, spacing=(9.0, 1.0, 2.0)[not stack :]
    )
    found, turn = upright(image)
    np.testing.assert_array_equal(found.pixels[..., 0], expected if stack else expected[1])
    np.testing.assert_array_equal(turn(image.pixels[..., 0]), found.pixels[..., 0])
    assert found.spacing is not None
    swapped = found.pixels.shape[-3:-1] == (5, 4)
    assert found.spacing[-2:] == ((2.0, 1.0) if swapped else (1.0, 2.0))


def test_without_directions_nothing_turns() -> None:
    image = Image.from_array(np.arange(6).reshape(2, 3))
    assert upright(image)[0] is image


def test_fullest_slice() -> None:
    labels = np.full((5, 3, 3), -1)
    labels[1, 0, :2] = labels[3, 0, :2] = 0, 1
    labels[4, 0, 0] = 0
    assert fullest_slice(labels) == 1
    labels[2] = 0
    assert fullest_slice(labels) == 2
