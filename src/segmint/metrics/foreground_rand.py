"""The Rand score of cells in electron microscopy, as the ISBI 2012 challenge ranks by it.

Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
connectomics", Frontiers in Neuroanatomy 9 (2015), section on foreground-restricted Rand scoring
after border thinning.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import InputError


def foreground_rand(interior: ArrayLike, truth: ArrayLike) -> float:
    """V_rand: whether pixels of the same cell are found to be in the same cell.

    Cells are the 4-connected pieces of the interior. The borders between those of the prediction
    are thinned to nothing: each border pixel goes to the nearest cell. Only pixels that are
    interior in the truth count, so that the width of borders does not matter.

    Args:
        interior: (H, W) boolean, the prediction: not membrane.
        truth: (H, W) boolean, the same of the truth.

    Returns:
        0 to 1, the harmonic mean of the shares of pairs that are rightly split and rightly
        merged; NaN when the truth has no interior.

    Raises:
        InputError: when the shapes differ or are not (H, W).

    Example:
        >>> two_cells = np.array([[1, 1, 0, 1, 1]] * 3, bool)
        >>> foreground_rand(two_cells, two_cells)
        1.0
        >>> round(foreground_rand(np.ones((3, 5), bool), two_cells), 3)
        0.625
    """
    from skimage.metrics import adapted_rand_error

    predicted, known = np.asarray(interior, bool), np.asarray(truth, bool)
    if predicted.shape != known.shape or predicted.ndim != 2:
        raise InputError(
            f"interior has shape {predicted.shape} and truth {known.shape}, accepted are two of "
            "one shape (H, W): give the masks of one image"
        )
    if not known.any():
        return float("nan")
    found = _thinned(_cells(predicted))
    error, _, _ = adapted_rand_error(_cells(known), found, ignore_labels=(0,))  # type: ignore[no-untyped-call]
    return float(1 - error)


def _cells(interior: NDArray[np.bool_]) -> NDArray[np.int64]:
    from scipy import ndimage

    return np.asarray(ndimage.label(interior)[0], np.int64)


def _thinned(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every pixel in a cell; all in one where there is none."""
    from scipy import ndimage
    from skimage.segmentation import watershed

    if not cells.any():
        return np.ones_like(cells)
    distance = ndimage.distance_transform_edt(cells == 0)
    return np.asarray(watershed(distance, cells), np.int64)  # type: ignore[no-untyped-call]
