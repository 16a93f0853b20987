from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist

from segmint.errors import InputError, UsageError
from segmint.metrics import surface_distances as module
from segmint.metrics.surface_distances import (
    average_surface_distance,
    hd95,
    surface,
    surface_dice,
    surface_distances,
)

Objects = NDArray[np.bool_]
STEPS = st.sampled_from([0.3, 0.75, 1.0, 1.5, 3.0])


def square(side: int, shift: int) -> Objects:
    plane = np.zeros((side + 20, side + 40), np.bool_)
    plane[10 : 10 + side, 10 + shift : 10 + shift + side] = True
    return plane


def ball(radius: float, center: tuple[float, ...], steps: tuple[float, ...]) -> Objects:
    """A ball in a box of about 60 units."""
    axes = [np.arange(round(60 / step)) * step for step in steps]
    grid = np.meshgrid(*axes, indexing="ij")
    return np.asarray(
        sum((axis - middle) ** 2 for axis, middle in zip(grid, center, strict=True)) <= radius**2
    )


def all_pairs(first: Objects, second: Objects, spacing: tuple[float, ...]) -> list[Any]:
    """Nearest distances by every pair of surface elements."""
    edges = [side & ~binary_erosion(side) for side in (first, second)]
    points = [np.argwhere(edge) * np.array(spacing) for edge in edges]
    table = cdist(*points)
    return [table.min(axis=1, initial=math.inf), table.min(axis=0, initial=math.inf)]


@st.composite
def two_objects(draw: st.DrawFn) -> tuple[Objects, Objects, tuple[float, ...]]:
    shape = draw(st.sampled_from([(5, 7), (1, 6), (3, 4, 5), (2, 1, 4)]))
    fill = st.booleans()
    objects = arrays(np.bool_, shape, elements=fill)
    return draw(objects), draw(objects), tuple(draw(STEPS) for _ in shape)


class TestClosedForms:
    @pytest.mark.parametrize("shift", [0, 1, 3, 8])
    def test_shifted_squares_have_their_shift_as_hd95(self, shift: int) -> None:
        assert hd95(square(20, 0), square(20, shift)) == shift
        assert hd95(square(20, 0), square(20, shift), spacing=(5, 0.5)) == shift / 2

    @pytest.mark.parametrize("shift", [1, 3, 8])
    def test_average_distance_of_shifted_squares(self, shift: int) -> None:
        side = 20
        # Of one square: the far side at the shift; of top and bottom the part beyond the other;
        # the near side inside the other, which is nearest to it above, below or beyond.
        rows = range(1, side - 1)
        inner = sum(min(row, side - 1 - row, shift, side - 1 - shift) for row in rows)
        total = side * shift + 2 * sum(shift - step for step in range(1, shift)) + inner
        expected = total / (4 * side - 4)
        found = average_surface_distance(square(side, 0), square(side, shift))
        assert found == pytest.approx(expected, rel=1e-12)

    def test_surface_dice_of_shifted_squares(self) -> None:
        side, shift = 20, 3
        # Farther than 2: the far side with its corners, and of the near side what is farther from
        # top and bottom, too.
        beyond = side + (side - 6)
        expected = 1 - beyond / (4 * side - 4)
        found = surface_dice(square(side, 0), square(side, shift), tolerance=2)
        assert found == pytest.approx(expected, rel=1e-12)
        assert surface_dice(square(side, 0), square(side, shift), tolerance=3) == 1
        steps = (0.3, 0.3)
        assert surface_dice(square(20, 0), square(20, 3), tolerance=0.9, spacing=steps) == 1

    @pytest.mark.parametrize("steps", [(1.0, 1.0), (1.0, 1.0, 1.0), (0.5, 1.0, 2.0)])
    def test_balls_of_one_center_lie_the_difference_of_radii_apart(
        self, steps: tuple[float, ...]
    ) -> None:
        center = (30.0,) * len(steps)
        inner, outer = ball(14, center, steps), ball(20, center, steps)
        distances = surface_distances(inner, outer, spacing=steps)
        # Elements lie up to a step inside of the sphere they stand for.
        diagonal = math.hypot(*steps)
        assert distances.average == pytest.approx(6, abs=diagonal / 2)
        assert distances.hd95 == pytest.approx(6, abs=diagonal)
        assert distances.dice(6 + 2 * diagonal) == 1
        assert distances.dice(6 - 2 * diagonal) == 0


class TestAgainstAllPairs:
    @given(two_objects())
    def test_distances(self, case: tuple[Objects, Objects, tuple[float, ...]]) -> None:
        first, second, spacing = case
        found = surface_distances(first, second, spacing=spacing)
        expected = all_pairs(first, second, spacing)
        np.testing.assert_allclose(np.sort(found.found), np.sort(expected[0]), rtol=1e-12)
        np.testing.assert_allclose(np.sort(found.truth), np.sort(expected[1]), rtol=1e-12)

    @given(two_objects(), st.sampled_from([0.0, 0.5, 1.0, 2.1]))
    def test_scores(
        self, case: tuple[Objects, Objects, tuple[float, ...]], tolerance: float
    ) -> None:
        first, second, spacing = case
        there, back = all_pairs(first, second, spacing)
        scores = surface_distances(first, second, spacing=spacing)
        both = np.concatenate([there, back])
        if there.size and back.size:
            percentiles = [np.percentile(side, 95) for side in (there, back)]
            assert scores.hd95 == pytest.approx(max(percentiles), rel=1e-9)
            assert scores.average == pytest.approx(both.mean(), rel=1e-9)
        else:
            assert math.isnan(scores.hd95)
            assert math.isnan(scores.average)
        if both.size:
            expected = np.mean(both <= tolerance + 1e-9)
            assert scores.dice(tolerance) == pytest.approx(expected, rel=1e-9)
        else:
            assert math.isnan(scores.dice(tolerance))

    @given(two_objects())
    def test_surface_is_what_erosion_takes(
        self, case: tuple[Objects, Objects, tuple[float, ...]]
    ) -> None:
        first = case[0]
        np.testing.assert_array_equal(surface(first), first & ~binary_erosion(first))

    @given(two_objects())
    def test_both_ways_give_the_same(
        self, case: tuple[Objects, Objects, tuple[float, ...]]
    ) -> None:
        first, second, spacing = case
        if first.any() and second.any():
            steps = np.array(spacing)
            one = module._by_tree(first, second, steps)
            np.testing.assert_allclose(one, module._by_transform(first, second, steps), rtol=1e-12)

    @given(two_objects())
    def test_sides_can_be_swapped(self, case: tuple[Objects, Objects, tuple[float, ...]]) -> None:
        first, second, spacing = case
        one = surface_distances(first, second, spacing=spacing)
        other = surface_distances(second, first, spacing=spacing)
        np.testing.assert_array_equal(one.found, other.truth)
        np.testing.assert_equal(one.hd95, other.hd95)


class TestInput:
    def test_absent_objects(self) -> None:
        nothing, something = np.zeros((4, 5), np.bool_), np.ones((4, 5), np.bool_)
        assert math.isnan(hd95(nothing, something))
        assert math.isnan(average_surface_distance(something, nothing))
        assert surface_dice(something, nothing, tolerance=100) == 0
        assert math.isnan(surface_dice(nothing, nothing, tolerance=1))

    def test_other_sizes_are_refused(self) -> None:
        with pytest.raises(InputError, match=r"found is 2 x 3 and the true one 3 x 2"):
            hd95(np.ones((2, 3), int), np.ones((3, 2), int))
        with pytest.raises(InputError, match="accepted is one value for each pixel"):
            hd95(np.ones(3, int), np.ones(3, int))

    @pytest.mark.parametrize("spacing", [(1.0,), (1.0, 0.0), (1.0, math.nan), (1.0, math.inf)])
    def test_spacing_is_checked(self, spacing: tuple[float, ...]) -> None:
        with pytest.raises(UsageError, match="one length above 0 for each of the 2 axes"):
            hd95(np.ones((2, 3), int), np.ones((2, 3), int), spacing=spacing)

    @pytest.mark.parametrize("tolerance", [-1.0, math.nan, math.inf])
    def test_tolerance_is_checked(self, tolerance: float) -> None:
        with pytest.raises(UsageError, match="accepted is a number from 0 up"):
            surface_dice(np.ones((2, 3), int), np.ones((2, 3), int), tolerance=tolerance)

    @pytest.mark.parametrize("values", [[[np.nan, 1.0]], [[-1, 0]], [[0, 255]], [["a", ""]]])
    def test_objects_are_boolean(self, values: list[list[float]]) -> None:
        for score in (hd95, average_surface_distance):
            with pytest.raises(InputError, match="accepted are booleans, true inside of it"):
                score(values, [[0, 1]])
        with pytest.raises(InputError, match="labels == 1"):
            surface_dice([[0, 1]], values, tolerance=1)
