from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow

from segmint.errors import InputError
from segmint.images import (
    Image,
    component_table,
    draw_overlay,
    entropy_of,
    write_components_csv,
)
from segmint.images.array_scene import ArrayScene
from segmint.images.label_levels import halved
from segmint.images.scene import Scene
from segmint.images.viewing import fullest_slice
from segmint.images.window import Window
from segmint.inference.label_statistics import LabelStatistics
from segmint.inference.scene_answer import SceneOutcome
from segmint.inference.scene_picture import fullest_plane
from segmint.inference.streaming import segment_scene
from segmint.methods.mixture_table import MixtureTable
from segmint.methods.segmentation import RESULT, Segmentation
from segmint.methods.storage import load_segmentation, read_record
from segmint.regions.ordering import order_by_area

SIZE = (530, 1030)
GENERATOR = np.random.default_rng(0)
LABELS = np.kron(GENERATOR.integers(0, 4, (53, 103)), np.ones((10, 10), np.int64))
LABELS[LABELS == 2] = 5
SHARES = GENERATOR.dirichlet(np.ones(6), SIZE).astype(np.float32).transpose(2, 0, 1)
CERTAIN = 10 * (np.arange(6)[:, np.newaxis, np.newaxis] == LABELS)
SHARES = ((SHARES + CERTAIN) / (1 + CERTAIN.sum(axis=0))).astype(np.float32)


class Known:
    """The labels and shares above, and the same on every slice."""

    classes, block, notes = 6, (512, 512), ("known beforehand",)

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[Any]:
        return LABELS[window.slices]

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        return SHARES[:, *window.slices]


def scene_of(dtype: type = np.uint8, *, stack: bool = False, channels: int = 3) -> ArrayScene:
    values = np.random.default_rng(1).random((*((2,) if stack else ()), *SIZE, channels))
    pixels = values.astype(dtype) if dtype is np.float32 else (values * 255).astype(dtype)
    return ArrayScene(Image.from_array(pixels, stack=stack))


def segment(folder: Path, scene: Scene | None = None, **options: Any) -> dict[str, Any]:
    names = ("order", "names", "colors", "mixture", "history", "notes")
    told = {name: options.pop(name) for name in names if name in options}
    outcome = SceneOutcome(answer=Known(), **told)
    given = {"method": "known", "options": {"b": 2}, "seed": 3, **options}
    return segment_scene(scene or scene_of(), outcome, folder, **given)


@pytest.mark.parametrize(
    ("dtype", "order"), [(np.uint16, None), (np.float32, None), (np.uint8, "as it is")]
)
def test_components_are_those_of_the_whole(tmp_path: Path, dtype: type, order: str | None) -> None:
    inside = np.random.default_rng(2).random(SIZE) < 0.8
    scene = scene_of(dtype, channels=2)
    names = {5: "five", 0: "nought"}
    segment(tmp_path, scene, order=order, names=names, region=ArrayScene.of_array(inside * 1.0))
    labels = np.where(inside, LABELS, -1)
    if order is None:
        labels, former = order_by_area(labels)
        names = {i: names[k] for i, k in enumerate(former.tolist()) if k in names}
    table = component_table(scene.image.pixels, labels, names=names)
    write_components_csv(tmp_path / "want.csv", table)
    assert (tmp_path / "components.csv").read_text() == (tmp_path / "want.csv").read_text()


def test_the_record_is_that_of_any_result(tmp_path: Path) -> None:
    scene = scene_of()
    scene.spacing = (0.5, 0.25)
    record = segment(tmp_path / "scene", scene, notes=("fitted",), history=({"loss": 1.0},))
    image = Image(pixels=scene.image.pixels, spacing=(0.5, 0.25))
    Segmentation(
        labels=order_by_area(LABELS)[0],
        method="known",
        options={"b": 2},
        seed=3,
        seconds=0.0,
        history=({"loss": 1.0},),
        notes=("fitted", "known beforehand"),
    ).save(tmp_path / "array", image)
    found, want = (
        json.loads((tmp_path / name / RESULT).read_text()) for name in ("scene", "array")
    )
    assert found == {**json.loads(json.dumps(record)), "seconds": found["seconds"]}
    differs = {"labels": "labels.tif", "seconds": found["seconds"], "blocks": 6, "streamed": True}
    assert found == {**want, **differs}
    assert list(found) == [*want, "blocks", "streamed"]


@pytest.mark.parametrize("form", ["tiff", "zarr"])
def test_a_result_comes_back(tmp_path: Path, form: str) -> None:
    if form == "zarr":
        pytest.importorskip("zarr", reason="the extra bigimage is not installed")
    segment(tmp_path, form=form, names={0: "nought"}, order="as it is")
    segmentation, image = load_segmentation(tmp_path)
    assert image is None  # the scene came from no file
    assert np.array_equal(segmentation.labels, LABELS)
    assert (segmentation.order, segmentation.names) == ("as it is", {0: "nought"})


def test_a_result_that_is_too_large_for_memory_is_refused(tmp_path: Path) -> None:
    segment(tmp_path)
    record = read_record(tmp_path)
    (tmp_path / RESULT).write_text(json.dumps({**record, "shape": [20000, 20000]}))
    with pytest.raises(InputError, match="of a scene of 20000 x 20000 pixels"):
        load_segmentation(tmp_path)


def test_a_result_without_its_labels_is_refused(tmp_path: Path) -> None:
    segment(tmp_path)
    (tmp_path / "labels.tif").unlink()
    with pytest.raises(InputError, match=r"has lost its labels\.tif"):
        read_record(tmp_path)


@pytest.mark.parametrize(("form", "stack"), [("tiff", False), ("tiff", True), ("zarr", True)])
def test_maps_are_the_probabilities_of_the_ids(tmp_path: Path, form: str, stack: bool) -> None:
    inside = np.ones(SIZE, np.uint8)
    inside[:30] = 0
    mask = np.stack([inside] * 2) if stack else inside
    region = ArrayScene.of_array(mask, stack=stack)
    segment(tmp_path, scene_of(stack=stack), form=form, probabilities=True, region=region)
    found, entropy = (read(tmp_path, name, form) for name in ("probabilities", "entropy"))
    assert found.dtype == entropy.dtype == np.float16
    _, former = order_by_area(np.where(inside, LABELS, -1))
    rest = [label for label in range(6) if label not in former]
    want = SHARES[[*former, *rest]] * inside
    bits = entropy_of(want)
    if stack:
        want = np.stack([want, want], axis=0 if form == "tiff" else 1)
        bits = np.stack([bits, bits])
    assert np.array_equal(found, want.astype(np.float16))
    # The shares are added up in another order here.
    assert np.abs(entropy.astype(np.float32) - bits).max() < 2e-3


def read(folder: Path, name: str, form: str) -> NDArray[Any]:
    if form == "tiff":
        return tifffile.imread(folder / f"{name}.tif")
    zarr = pytest.importorskip("zarr", reason="the extra bigimage is not installed")
    return np.asarray(zarr.open_group(folder / f"{name}.zarr", mode="r")["0"][...])


def test_mixtures_have_their_table_and_curve(tmp_path: Path) -> None:
    mixture = MixtureTable(
        weights=np.full(6, 1 / 6), means=np.arange(6.0)[:, None], variances=np.ones((6, 1))
    )
    history = ({"iteration": 1.0, "nll": 5.0}, {"iteration": 2.0, "nll": 4.0})
    record = segment(tmp_path, order="by mean", mixture=mixture, history=history)
    assert (tmp_path / "mixture.csv").read_text() == mixture.csv()
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")
    assert record["mixture"] == mixture.rows()


def picture_of(folder: Path) -> NDArray[np.uint8]:
    with Pillow.open(folder / "overlay.png") as picture:
        return np.asarray(picture)


def test_the_picture_is_the_overlay_of_a_small_scene(tmp_path: Path) -> None:
    colors = np.arange(18, dtype=np.uint8).reshape(6, 3) * 10
    scene = scene_of()
    segment(tmp_path, scene, order="as it is", colors=colors)
    want = draw_overlay(scene.image.pixels, LABELS, colors=colors)
    assert np.array_equal(picture_of(tmp_path), want)


@pytest.mark.parametrize("form", ["tiff", "zarr"])
def test_the_picture_of_a_large_scene_has_labels_of_a_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    if form == "zarr":
        pytest.importorskip("zarr", reason="the extra bigimage is not installed")
    monkeypatch.setattr("segmint.inference.scene_picture.LONGEST", 515)
    pixels = np.full((*SIZE, 3), 100, np.uint8)
    segment(tmp_path, ArrayScene(Image.from_array(pixels)), form=form, order="as it is")
    labels = halved(LABELS.astype(np.uint8))
    assert np.array_equal(picture_of(tmp_path), draw_overlay(pixels[::2, ::2], labels))


def test_the_fullest_slice_is_that_of_viewing() -> None:
    generator = np.random.default_rng(4)
    for _ in range(50):
        labels = generator.integers(-1, generator.integers(0, 4, (5, 1, 1)) + 1, (5, 4, 4))
        planes = [
            LabelStatistics.of(
                np.where(plane < 0, 255, plane).astype(np.uint8),
                np.zeros((4, 4, 1)),
                classes=4,
                window=Window.whole(4, 4),
                width=4,
            )
            for plane in labels
        ]
        assert fullest_plane(planes) == fullest_slice(labels)


class Endless(Scene):
    """A scene of any size that is in no memory."""

    def __init__(self, side: int) -> None:
        self.height = self.width = side
        self.channels, self.dtype, self.block = 1, np.dtype(np.uint8), (512, 512)

    def read(self, window: Window, plane: int = 0) -> NDArray[np.uint8]:
        rows, columns = window.size
        return np.full((rows, columns, 1), window.top // 512 % 256, np.uint8)


class Striped(Known):
    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[Any]:
        columns = np.arange(window.left, window.right) // 100 % 6
        return np.broadcast_to(columns.astype(np.uint8), window.size)


def test_memory_does_not_grow_with_the_scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segmint.inference.scene_picture.LONGEST", 256)
    peaks = []
    for side in (1024, 1024, 6144):  # the first one pays for imports
        tracemalloc.start()
        outcome = SceneOutcome(answer=Striped())
        segment_scene(
            Endless(side), outcome, tmp_path / str(side), method="striped", options={}, seed=0
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 6144 * 6144 / 8
