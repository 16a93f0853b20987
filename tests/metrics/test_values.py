from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from segmint import metrics
from segmint.errors import InputError, UsageError
from segmint.metrics.values import array_of, check_shares, number, numbers, share_array

PLANE = np.array([[0, 1, 1], [0, 0, 1]])
OBJECT = PLANE == 1
RAGGED: Any = [[0, 1], [1]]


@pytest.mark.parametrize("value", ["a", "1", None, True, 1j, math.nan, math.inf, 10**400, [1]])
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(UsageError, match=r"step is .*, accepted is a length: give one"):
        number(value, "step", "a length")


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.uint8(2), Fraction(2)])
def test_numbers_of_every_kind(value: object) -> None:
    assert number(value, "step", "a length") == 2
    assert numbers([value] * 2, "steps", "lengths") == (2, 2)


def test_arrays() -> None:
    with pytest.raises(InputError, match="mask: there is no array of one shape in it"):
        array_of(RAGGED, "mask")
    assert share_array(np.ones(2, np.longdouble), "the shares").dtype == np.float64
    with pytest.raises(InputError, match="the shares are int64, accepted are floats"):
        share_array([1, 2], "the shares")


def test_shares_count_where_pixels_do() -> None:
    shares = np.array([[[0.5, np.nan]], [[1.0, 7.0]]])
    check_shares(shares, np.array([[True, False]]), "the shares")
    for wrong, first in (([[True, True]], "nan"), ([[False, True]], "nan")):
        with pytest.raises(InputError, match=f"hold {first} in a pixel that counts"):
            check_shares(shares, np.array(wrong), "the shares")


REFUSED: dict[str, Callable[[], object]] = {
    "spacing 1": lambda: metrics.hd95(OBJECT, OBJECT, spacing=1),  # type: ignore[arg-type]
    "spacing a, b": lambda: metrics.hd95(OBJECT, OBJECT, spacing=("a", "b")),  # type: ignore[arg-type]
    "spacing 12": lambda: metrics.hd95(OBJECT, OBJECT, spacing="12"),  # type: ignore[arg-type]
    "spacing 1e308": lambda: metrics.hd95(OBJECT, OBJECT, spacing=(1e308, 1)),
    "tolerance a": lambda: metrics.surface_dice(OBJECT, OBJECT, tolerance="a"),  # type: ignore[arg-type]
    "tolerance None": lambda: metrics.surface_dice(OBJECT, OBJECT, tolerance=None),  # type: ignore[arg-type]
    "share a": lambda: metrics.boundary_f(PLANE, PLANE, tolerance="a"),  # type: ignore[arg-type]
    "thresholds 0.5": lambda: metrics.average_precision(PLANE, PLANE, thresholds=0.5),  # type: ignore[arg-type]
    "thresholds None": lambda: metrics.average_precision(PLANE, PLANE, thresholds=None),  # type: ignore[arg-type]
    "thresholds a": lambda: metrics.average_precision(PLANE, PLANE, thresholds=["a"]),  # type: ignore[list-item]
    "radius a": lambda: metrics.warping_error(OBJECT, OBJECT, radius="a"),  # type: ignore[arg-type]
    "radius inf": lambda: metrics.warping_error(OBJECT, OBJECT, radius=math.inf),
}


@pytest.mark.parametrize("what", REFUSED)
def test_options_of_scores(what: str) -> None:
    with pytest.raises(UsageError, match=f"{what.split()[0].replace('share', 'tolerance')}.* is "):
        REFUSED[what]()


@pytest.mark.parametrize(
    "score",
    [
        metrics.hd95,
        metrics.average_precision,
        metrics.pixel_error,
        metrics.boundary_f,
        metrics.rand_index,
    ],
)
def test_ragged_lists(score: Callable[..., float]) -> None:
    with pytest.raises(InputError, match="accepted are rows of one length"):
        score(RAGGED, RAGGED)


def test_labels_beyond_64_bits() -> None:
    labels = np.full((2, 2), np.iinfo(np.uint64).max, np.uint64)
    with pytest.raises(InputError, match="number them anew"):
        metrics.rand_index(labels, labels)
    assert metrics.rand_index(labels // np.uint64(2), labels // np.uint64(2)) == 1
