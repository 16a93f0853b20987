from __future__ import annotations

import numpy as np
import pytest

from segmint.datasets.synthetic import draw_shapes
from segmint.errors import UsageError


@pytest.mark.parametrize("seed", range(5))
def test_every_shape_is_there_and_later_ones_are_smaller(seed):
    image, mask = draw_shapes(120, 160, shapes=8, seed=seed)
    assert (image.dtype, image.shape) == (np.uint8, (120, 160, 3))
    assert (mask.dtype, mask.shape) == (np.int32, (120, 160))
    areas = np.bincount(mask.ravel())
    assert len(areas) == 9
    assert (areas > 0).all()
    assert areas[8] < areas[1]


def test_the_seed_decides_everything():
    first, again, other = (draw_shapes(64, 64, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


def test_the_noise_has_the_deviation_asked_for():
    quiet, mask = draw_shapes(96, 128, shapes=3, noise=0, seed=4)
    loud, same = draw_shapes(96, 128, shapes=3, noise=10, seed=4)
    assert np.array_equal(mask, same)
    middle = (quiet > 50) & (quiet < 205)
    difference = loud.astype(float) - quiet
    assert difference[middle].std() == pytest.approx(10, rel=0.05)


def test_no_shapes_is_ground_alone():
    assert not draw_shapes(32, 32, shapes=0)[1].any()


@pytest.mark.parametrize("wrong", [{"height": 15}, {"shapes": -1}, {"shapes": 101}, {"noise": -1}])
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(UsageError, match="accepted"):
        draw_shapes(**{"height": 32, "width": 32, **wrong})
