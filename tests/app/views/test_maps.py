"""Maps of an answer at the size of its views."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.stats import entropy

from segmint.app.views import maps
from segmint.app.views.maps import draw_map_view, write_view_maps
from segmint.app.views.pixel_probabilities import PROBABILITIES, pixel_probabilities
from segmint.errors import InputError
from segmint.images import OUTSIDE_COLOR
from segmint.methods.segmentation import Segmentation

Floats = NDArray[np.float32]


def answer(shares: Floats | None, labels: NDArray[np.int32], **more: Any) -> Segmentation:
    compute = None if shares is None else lambda: shares
    return Segmentation(
        labels=labels,
        method="unet",
        options={},
        seed=0,
        seconds=1.0,
        compute_probabilities=compute,
        **more,
    )


def random_shares(*shape: int) -> Floats:
    """(K, ...) that sum to 1."""
    drawn = np.random.default_rng(0).random(shape) ** 3
    return (drawn / drawn.sum(axis=0)).astype(np.float32)


def same(array: NDArray[Any]) -> NDArray[Any]:
    return array


@pytest.fixture
def shares() -> Floats:
    return random_shares(3, 20, 30)


@pytest.fixture
def found(shares: Floats) -> Segmentation:
    labels = shares.argmax(axis=0).astype(np.int32)
    labels[:4] = -1
    bits = np.random.default_rng(1).random((20, 30)).astype(np.float32)
    return answer(shares, labels, names={0: "night", 2: "bar"}, compute_uncertainty=lambda: bits)


def test_what_there_is(found: Segmentation, tmp_path: Path) -> None:
    facts = write_view_maps(tmp_path, found, turn=same, view=(20, 30), uncertainty=True)
    assert facts["has_probabilities"]
    assert [(each["name"], each["title"], each["unit"]) for each in facts["maps"]] == [
        ("entropy", "Entropy", "bits"),
        ("uncertainty", "Disagreement of the networks", "bits"),
        ("class-0", "night", "probability"),
        ("class-1", "Component 1", "probability"),
        ("class-2", "bar", "probability"),
    ]
    assert all(each["low"] == 0 for each in facts["maps"])
    assert facts["maps"][0]["high"] == pytest.approx(np.log2(3))
    assert facts["maps"][1]["high"] == 1.0  # the round number above nearly all of 0..1
    assert json.loads(json.dumps(facts)) == facts
    facts = write_view_maps(tmp_path, found, turn=same, view=(20, 30))
    assert "uncertainty" not in [each["name"] for each in facts["maps"]]


def test_hard_methods_have_none(tmp_path: Path) -> None:
    facts = write_view_maps(
        tmp_path, answer(None, np.zeros((4, 5), np.int32)), turn=same, view=(4, 5)
    )
    assert facts == {"has_probabilities": False, "maps": []}
    with pytest.raises(InputError, match="no map 'entropy' of slice 0"):
        draw_map_view(tmp_path, "entropy")


def test_values_are_those_of_the_nearest_pixel(
    found: Segmentation, shares: Floats, tmp_path: Path
) -> None:
    write_view_maps(tmp_path, found, turn=same, view=(7, 11))
    bits = np.load(tmp_path / "map-entropy.npy")
    for y in range(7):
        for x in range(11):
            row, column = int((y + 0.5) * 20 / 7), int((x + 0.5) * 30 / 11)
            told = pixel_probabilities(tmp_path, x, y, 0)
            if found.labels[row, column] < 0:
                assert told is None
                assert np.isnan(bits[0, y, x])
            else:
                assert told == pytest.approx(shares[:, row, column], abs=1e-3)
                expected = entropy(shares[:, row, column], base=2)
                assert bits[0, y, x] == pytest.approx(expected, abs=2e-3)


def test_slices_are_turned(tmp_path: Path) -> None:
    shares = random_shares(2, 3, 5, 8)
    found = answer(shares, np.zeros((3, 5, 8), np.int32))

    def turn(array: NDArray[Any]) -> NDArray[Any]:
        return np.flip(array.swapaxes(1, 2), axis=1)

    write_view_maps(tmp_path, found, turn=turn, view=(8, 5))
    stored = np.load(tmp_path / PROBABILITIES)
    assert stored.shape == (3, 8, 5, 2)
    assert stored.dtype == np.float16
    for index in range(3):
        expected = np.stack([turn(each)[index] for each in shares], axis=-1)
        np.testing.assert_allclose(stored[index], expected, atol=1e-3)
        with Pillow.open(draw_map_view(tmp_path, "class-1", index)) as picture:
            assert picture.size == (5, 8)
    for index in (-1, 3):
        with pytest.raises(InputError, match=f"no map 'entropy' of slice {index}"):
            draw_map_view(tmp_path, "entropy", index)


def test_pictures_show_the_values_and_what_is_outside(
    found: Segmentation, shares: Floats, tmp_path: Path
) -> None:
    write_view_maps(tmp_path, found, turn=same, view=(20, 30), uncertainty=True)
    for kind in ("entropy", "uncertainty", "class-2"):
        with Pillow.open(draw_map_view(tmp_path, kind)) as drawn:
            picture = np.asarray(drawn)
        assert (tmp_path / f"map-{kind}-0000.png").is_file()
        assert (picture[:4] == OUTSIDE_COLOR).all()
    expected = np.array(colormaps["cividis"](shares[2, 4:]))[..., :3] * 255
    assert abs(picture[4:] - expected).max() <= 4  # the next color of 256


@pytest.mark.parametrize("kind", ["class-3", "class--1", "class-", "../../x", "probabilities", ""])
def test_maps_that_there_are_not(found: Segmentation, tmp_path: Path, kind: str) -> None:
    write_view_maps(tmp_path, found, turn=same, view=(20, 30))
    with pytest.raises(InputError, match="choose one that is offered"):
        draw_map_view(tmp_path, kind)


def test_too_large_arrays_are_left_out(
    found: Segmentation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "MOST_BYTES", 20 * 30 * 2)
    facts = write_view_maps(tmp_path, found, turn=same, view=(20, 30))
    assert not facts["has_probabilities"]
    assert [each["name"] for each in facts["maps"]] == ["entropy"]
    assert not (tmp_path / PROBABILITIES).exists()
    monkeypatch.setattr(maps, "MOST_BYTES", 20 * 30)
    facts = write_view_maps(tmp_path / "none", found, turn=same, view=(20, 30))
    assert facts["maps"] == []


def test_of_many_classes_those_that_occur_have_a_map(tmp_path: Path) -> None:
    found = answer(random_shares(30, 2, 2), np.array([[3, 3], [-1, 29]], np.int32))
    facts = write_view_maps(tmp_path, found, turn=same, view=(2, 2))
    names = [each["name"] for each in facts["maps"]]
    assert names == ["entropy", "class-3", "class-29"]
