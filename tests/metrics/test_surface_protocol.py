from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segmint.errors import UsageError
from segmint.metrics.protocol import Case
from segmint.metrics.surface_distances import average_surface_distance, hd95, surface_dice
from segmint.metrics.surface_protocol import PROTOCOL, surfaces

NAMES = ("background", "left part", "right")


def plane(**lefts: int) -> NDArray[np.int32]:
    """Squares of 8 pixels, ``one`` above of class 1 and ``two`` below of class 2."""
    found = np.zeros((30, 40), np.int32)
    for name, left in lefts.items():
        top, value = {"one": (3, 1), "two": (17, 2)}[name]
        found[top : top + 8, left : left + 8] = value
    return found


def case(labels: NDArray[Any], mask: NDArray[Any], **given: Any) -> Case:
    values = {"name": "cat", "ignore_index": 255, "class_names": NAMES, **given}
    return Case(labels=labels, masks=(mask,), **values)


def rows(*cases: Case) -> dict[str, Any]:
    found = PROTOCOL.rows([PROTOCOL.measure(each) for each in cases])
    return {row.name: row for row in found}


def test_classes_are_scored_one_by_one() -> None:
    rng = np.random.default_rng(0)
    labels, mask = rng.integers(0, 3, (2, 5, 20, 25))
    found = rows(case(labels, mask, spacing=(3.0, 1.0, 0.5)))
    for value, name in ((1, "left_part"), (2, "right")):
        pair = (labels == value, mask == value)
        steps = (3.0, 1.0, 0.5)
        assert found[f"hd95_{name}"].value == hd95(*pair, spacing=steps)
        average = average_surface_distance(*pair, spacing=steps)
        assert found[f"average_surface_distance_{name}"].value == average
        agreed = surface_dice(*pair, spacing=steps, tolerance=1)
        assert found[f"surface_dice_{name}"].value == agreed
    mean = (found["hd95_left_part"].value + found["hd95_right"].value) / 2
    assert found["hd95"].value == pytest.approx(mean)
    assert "hd95_background" not in found


def test_mean_is_over_classes_of_means_over_images() -> None:
    mask = plane(one=5, two=5)
    images = [case(plane(one=5, two=5 + shift), mask) for shift in (0, 2)]
    images.append(case(plane(one=9), plane(one=5)))
    found = rows(*images)
    assert found["hd95_left_part"].value == pytest.approx(4 / 3)
    assert found["hd95_right"].value == 1
    assert found["hd95"].value == pytest.approx((4 / 3 + 1) / 2)
    assert "mean over 3 images" in found["hd95_left_part"].protocol
    assert "mean over 2 images" in found["hd95_right"].protocol


def test_a_class_on_one_side_has_no_distance_and_no_agreement() -> None:
    found = rows(case(plane(one=5), plane(one=5, two=5)), case(plane(one=5, two=7), plane(one=5)))
    assert found["hd95"].value == 0
    assert math.isnan(found["hd95_right"].value)
    assert found["surface_dice_right"].value == 0
    assert found["surface_dice"].value == 0.5
    words = "2 of 4 have none, the class being found or true alone"
    assert words in found["hd95"].protocol
    assert "have none" not in found["surface_dice"].protocol


def test_units_are_told() -> None:
    with_spacing = case(plane(one=6), plane(one=5), spacing=(0.5, 0.5))
    without = case(plane(one=6), plane(one=5))
    assert "distances in mm," in rows(with_spacing)["hd95"].protocol
    assert "distances in pixels (no spacing above 0 is known)," in rows(without)["hd95"].protocol
    mixed = rows(with_spacing, without)["hd95"].protocol
    assert "mm or pixels (the spacing of 1 of 2 images is known)" in mixed


def test_classes_without_names_go_by_number_and_0_is_none() -> None:
    labels = np.where(plane(one=5, two=5) == 2, 10, plane(one=5))
    found = rows(case(labels, labels, class_names=()))
    assert [name for name in found if name.startswith("hd95")] == ["hd95", "hd95_1", "hd95_10"]


def test_a_named_class_0_is_scored() -> None:
    labels = 1 - plane(one=5)
    found = rows(case(labels, labels, class_names=("blood", "muscle")))
    assert {"hd95_blood", "hd95_muscle"} <= set(found)


def test_what_is_not_counted_belongs_to_no_object() -> None:
    labels, mask = plane(one=5), plane(one=5)
    labels[3:11, 20:30] = 1
    mask[3:11, 20:30] = 255
    assert rows(case(labels, mask))["hd95"].value == 0
    outside = np.where(mask == 255, -1, labels)
    assert rows(case(outside, plane(one=5)))["hd95"].value == 0


def test_numbers_of_objects_are_no_classes() -> None:
    mask = np.arange(20 * 30).reshape(20, 30)
    assert "--protocol instances" in PROTOCOL.unfit(case(mask, mask, class_names=()))
    several = Case(name="a", labels=mask, masks=(mask, mask), ignore_index=None)
    assert "--protocol boundaries" in PROTOCOL.unfit(several)


def test_tolerance() -> None:
    one = case(plane(one=7), plane(one=5))
    for tolerance, all_agree in ((2, True), (0, False)):
        protocol = surfaces(tolerance=tolerance)
        found = {row.name: row for row in protocol.rows([protocol.measure(one)])}
        reference = surface_dice(one.labels, one.masks[0], tolerance=tolerance)
        assert found["surface_dice"].value == reference
        assert (reference == 1) == all_agree
        assert f"tolerance of {tolerance} in pixels" in found["surface_dice"].protocol
    with pytest.raises(UsageError, match="a number from 0 up"):
        surfaces(tolerance=math.nan)


def test_spacing_of_other_axes_is_refused() -> None:
    with pytest.raises(UsageError, match="each of the 2 axes"):
        PROTOCOL.measure(case(plane(one=5), plane(one=5), spacing=(1.0, 1.0, 1.0)))
