"""The errand ``draw``: slices, labels and maps when the page asks for them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

sys.path.insert(0, str(Path(__file__).parent))
from heard import Heard

from segmint.app.errands.changing import change_result
from segmint.app.errands.drawing import draw_view
from segmint.app.errands.segmenting import segment_picture
from segmint.app.views.pixel_probabilities import pixel_probabilities
from segmint.app.views.view import read_label_png
from segmint.errors import InputError
from segmint.images import read_labels


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack of three slices that a mixture of three components was fitted to."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "upload").mkdir()
    rng = np.random.default_rng(0)
    means = np.kron(rng.integers(0, 3, (3, 3, 4)), np.ones((1, 6, 6))) * 80 + 20
    stack = np.clip(means + rng.normal(scale=15, size=means.shape), 0, 255).astype(np.uint8)
    file = folder / "upload" / "stack.tif"
    tifffile.imwrite(file, stack, photometric="minisblack", metadata={"axes": "ZYX"})
    segment_picture(
        Heard(),
        **places(folder),
        result=str(folder / "result"),
        views=str(folder / "views" / "1"),
        method="em-gmm",
        options={"components": 3},
        device="cpu",
    )
    return folder


def places(desk: Path) -> dict[str, str]:
    path = str(desk / "upload" / "stack.tif")
    return {"path": path, "name": "stack.tif", "fit": str(desk / "fit")}


def drawn(desk: Path, version: int, kind: str, index: int) -> np.ndarray:
    views = desk / "views" / str(version)
    how: dict[str, Any] = {name: places(desk)[name] for name in ("path", "fit")}
    told = draw_view(Heard(), kind=kind, index=index, views=str(views), **how)
    file = views / f"{kind}-{index:04d}.png"
    assert told == {"file": str(file)}
    if kind == "labels":
        return read_label_png(file.read_bytes())
    with Pillow.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def test_labels_of_every_slice(desk: Path) -> None:
    labels = read_labels(desk / "fit" / "labels.tif")
    for index in range(3):
        np.testing.assert_array_equal(drawn(desk, 1, "labels", index), labels[index])


def test_labels_of_every_slice_after_a_change(desk: Path) -> None:
    facts = change_result(
        Heard(), **places(desk), views=str(desk / "views" / "2"), merged=[[2, 0]], names={0: "fat"}
    )
    assert [row["name"] for row in facts["legend"]] == ["fat", ""]
    labels = read_labels(desk / "fit" / "labels.tif")
    for index in range(3):
        np.testing.assert_array_equal(
            drawn(desk, 2, "labels", index), np.where(labels[index] == 2, 0, labels[index])
        )


def test_maps_of_every_slice(desk: Path) -> None:
    for kind in ("map-entropy", "map-class-0", "map-class-2"):
        assert drawn(desk, 1, kind, 1).shape == (18, 24, 3)
    certain = drawn(desk, 1, "map-class-0", 1)
    labels = read_labels(desk / "fit" / "labels.tif")[1]
    # From dark blue to yellow: what is likely has more red.
    assert certain[labels == 0, 0].mean() > certain[labels != 0, 0].mean() + 50


def test_names_keep_the_maps_and_merging_adds_them_up(desk: Path) -> None:
    how = places(desk)
    named = change_result(Heard(), **how, views=str(desk / "views" / "3"), names={1: "cup"})
    assert named["has_probabilities"]
    assert [each["title"] for each in named["maps"] if each["name"] == "class-1"] == ["cup"]
    merged = change_result(Heard(), **how, views=str(desk / "views" / "4"), merged=[[1, 2]])
    assert merged["has_probabilities"]
    for y, x in [(0, 0), (5, 11), (17, 23)]:
        one, three, four = (
            pixel_probabilities(desk / "views" / str(version), x, y, 1) for version in (1, 3, 4)
        )
        assert one is not None
        assert three == one
        assert four is not None
        assert four[1] == pytest.approx(one[1] + one[2], abs=2e-3)
        assert four[2] == 0
    assert drawn(desk, 4, "map-entropy", 1).shape == (18, 24, 3)
    assert not (desk / "result" / "maps.json").exists()


@pytest.mark.parametrize(
    ("kind", "index"),
    [
        ("labels", 3),
        ("labels", -1),
        ("picture", 99),
        ("map-class-9", 0),
        ("map-entropy", 7),
        ("map-../../etc", 0),
        ("nonsense", 0),
    ],
)
def test_what_there_is_not(desk: Path, kind: str, index: int) -> None:
    with pytest.raises(InputError):
        drawn(desk, 1, kind, index)
