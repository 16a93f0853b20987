"""How an image is looked at: upright, and of a volume the slice that shows most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.images.image import Image

Array = npt.NDArray[Any]

_VERTICAL = ("SI", "AP", "LR")
"""Which of two axes stands upright: the earlier one."""
_DOWN = "IPR"
"""What lies below."""
_RIGHT = "LP"
"""What lies on the right: the patient's left, seen from the feet, as radiologists look."""


def upright(image: Image) -> tuple[Image, Callable[[Array], Array]]:
    """A volume with head or front above and the patient's right on the left side of the picture.

    Where directions are not known the image stays as it is.

    Args:
        image: with an affine, or it stays.

    Returns:
        The image for the eye, without its affine, and what turns labels of its shape likewise.

    Example:
        >>> turned, turn = upright(Image.from_array(np.zeros((2, 3))))
        >>> turn(np.ones((2, 3))).shape
        (2, 3)
    """
    if image.affine is None:
        return image, lambda array: array
    rows, columns = _directions(image.affine)
    transposed = _rank(columns) < _rank(rows)
    if transposed:
        rows, columns = columns, rows
    first = 1 if image.is_stack else 0

    def turn(array: Array) -> Array:
        if transposed:
            array = array.swapaxes(first, first + 1)
        if rows not in _DOWN:
            array = np.flip(array, axis=first)
        if columns not in _RIGHT:
            array = np.flip(array, axis=first + 1)
        return array

    spacing = image.spacing
    if transposed and spacing is not None:
        spacing = (*spacing[:-2], spacing[-1], spacing[-2])
    turned = replace(
        image,
        pixels=turn(image.pixels),
        region=None if image.region is None else turn(image.region),
        mask=None if image.mask is None else turn(image.mask),
        spacing=spacing,
        affine=None,
    )
    return turned, turn


def fullest_slice(labels: npt.NDArray[np.integer[Any]]) -> int:
    """The slice of (D, H, W) with the most components; of several the one nearest the middle.

    Slices of which less than half as much is labelled as of another are passed over.
    """
    areas = np.count_nonzero(labels >= 0, axis=(1, 2))
    middle = (len(labels) - 1) / 2

    def worth(index: int) -> tuple[int, float]:
        plane = labels[index]
        return np.unique(plane[plane >= 0]).size, -abs(index - middle)

    return max(np.flatnonzero(2 * areas >= areas.max()).tolist(), key=worth)


def _directions(affine: npt.NDArray[np.float64]) -> tuple[str, str]:
    """Where rows and columns lead: the nearest of left, right, anterior, posterior and so on."""
    import nibabel

    codes = nibabel.aff2axcodes(affine)  # type: ignore[no-untyped-call]
    return str(codes[0]), str(codes[1])


def _rank(direction: str) -> int:
    return next((rank for rank, pair in enumerate(_VERTICAL) if direction in pair), len(_VERTICAL))
