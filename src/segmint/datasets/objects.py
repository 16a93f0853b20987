"""Objects and segments with numbers of their own, from a map of classes that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def grown_pieces(
    classes: NDArray[np.integer], *, inside: int, over: Sequence[int] = (), diagonal: bool = True
) -> NDArray[np.int32]:
    """Number the connected pieces of one class, and grow them back over others.

    A pixel of the others goes to the nearest piece that it is connected with, within them; where
    there is none, as in something too thin to have an inside, they are a piece of their own.

    Args:
        classes: (H, W) numbers; negative lies outside the region.
        inside: class whose pieces are numbered.
        over: classes that the pieces are grown over.
        diagonal: whether pixels that share a corner alone are connected (8 neighbors, else 4).

    Returns:
        1 and up in the order of their first pixel, 0 elsewhere, -1 outside the region.

    Example:
        >>> grown_pieces(np.array([[0, 2, 1, 2, 2, 1]]), inside=1, over=(2,)).tolist()
        [[0, 1, 1, 1, 2, 2]]
        >>> grown_pieces(np.array([[1, 0, 2, -1]]), inside=1, over=(2,)).tolist()
        [[1, 0, 2, -1]]
    """
    from skimage.measure import label
    from skimage.segmentation import watershed

    connectivity = 2 if diagonal else 1
    core = classes == inside
    pieces = label(core, connectivity=connectivity)  # type: ignore[no-untyped-call]
    if over:
        whole = core | np.isin(classes, over)
        # On a level plane the watershed grows all pieces by one pixel at a time.
        level = np.zeros(classes.shape, np.uint8)
        pieces = watershed(level, pieces, mask=whole, connectivity=connectivity)  # type: ignore[no-untyped-call]
        rest = label(whole & (pieces == 0), connectivity=connectivity)  # type: ignore[no-untyped-call]
        pieces = np.where(rest > 0, rest + pieces.max(initial=0), pieces)
    return np.where(classes < 0, -1, pieces).astype(np.int32)
