from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import ndimage

from segmint.metrics import relabel_components

SHAPES = st_numpy.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=5)


def labelled_one_by_one(labels):
    """Each label by itself through scipy, whose default neighbors share an edge or a face."""
    pieces = np.full(labels.shape, -1)
    for label in np.unique(labels[labels >= 0]):
        found, _ = ndimage.label(labels == label)
        pieces[found > 0] = pieces.max() + found[found > 0]
    return pieces


@given(st_numpy.arrays(np.int32, SHAPES, elements=st.integers(-2, 2)))
def test_pieces_are_those_of_each_label_by_itself(labels):
    found, expected = relabel_components(labels), labelled_one_by_one(labels)
    pairs = set(zip(found.ravel().tolist(), expected.ravel().tolist(), strict=True))
    assert len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})
    assert ((found == -1) == (labels < 0)).all()


def test_corners_do_not_connect():
    assert len(np.unique(relabel_components(np.eye(3, dtype=int)))) == 5
