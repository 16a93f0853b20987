from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segmint.errors import InputError
from segmint.metrics.protocol import Case
from segmint.metrics.protocols import protocols

PLANE = np.array([[0, 1, 1], [0, 0, 1]])
SHARES = np.full((2, 2, 3), 0.5, np.float32)


def case(**values: Any) -> Case:
    given: dict[str, Any] = {"labels": PLANE, "masks": (PLANE,), "ignore_index": 255}
    return Case(name="cat", **{**given, **values})


@pytest.mark.parametrize(
    "shape", [(), (3,), (0, 0), (2, 2, 2, 2)], ids=["number", "line", "empty", "four axes"]
)
def test_labels_have_pixels(shape: tuple[int, ...]) -> None:
    array = np.zeros(shape, np.int64)
    with pytest.raises(InputError, match="labels of cat"):
        case(labels=array, masks=(array,))


def test_labels_and_masks() -> None:
    listed = case(labels=PLANE.tolist(), masks=[PLANE.tolist()])
    np.testing.assert_array_equal(listed.labels, PLANE)
    np.testing.assert_array_equal(listed.masks[0], PLANE)
    assert case(labels=PLANE == 1).labels.dtype == np.uint8
    for wrong, words in (
        ({"labels": PLANE / 2}, "accepted are integers"),
        ({"masks": (PLANE[:1],)}, "same size"),
        ({"masks": ()}, "empty"),
        ({"masks": (np.full((2, 3), 2**63, np.uint64),)}, "number them anew"),
    ):
        with pytest.raises(InputError, match=words):
            case(**wrong)


@pytest.mark.parametrize("field", ["probabilities", "strengths"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 1.5])
def test_shares_are_shares(field: str, value: float) -> None:
    shares = SHARES.copy() if field == "probabilities" else SHARES[0].copy()
    shares[..., 1, 2] = value
    with pytest.raises(InputError, match=f"{field} of cat hold {value:g} in a pixel that counts"):
        case(**{field: shares})
    outside, uncounted = PLANE.copy(), PLANE.copy()
    outside[1, 2], uncounted[1, 2] = -1, 255
    assert case(labels=outside, **{field: shares})
    assert case(masks=(uncounted,), **{field: shares})
    assert case(masks=(uncounted, PLANE), **{field: SHARES if shares.ndim == 3 else SHARES[0]})
    with pytest.raises(InputError, match="pixel that counts"):
        case(masks=(uncounted, PLANE), **{field: shares})


@pytest.mark.parametrize(
    "shares", [SHARES[:0], SHARES[0], SHARES[:, :1], np.float32(0.5), (SHARES * 255).astype("u1")]
)
def test_probabilities_are_a_map_a_class(shares: Any) -> None:
    with pytest.raises(InputError, match="the probabilities of cat are"):
        case(probabilities=shares)


@pytest.mark.parametrize("name", list(protocols))
def test_no_image_has_no_scores(name: str) -> None:
    rows = protocols.load(name).rows([])
    assert rows
    assert all(np.isnan(row.value) for row in rows)


def test_cells_have_a_map() -> None:
    small = case(probabilities=SHARES[:1], class_names=("membrane", "cell"))
    with pytest.raises(InputError, match="are of 1 classes and cells are the class 1"):
        protocols.load("membranes").measure(small)
