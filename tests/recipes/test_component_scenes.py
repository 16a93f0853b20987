"""Runs of components answer images window by window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

import segmint
from segmint.cli import run as run_command
from segmint.errors import InputError, UsageError
from segmint.images import Image, read_labels
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window, blocks
from segmint.inference.scene_answer import SceneOutcome
from segmint.inference.tiling import Tiling
from segmint.recipes.run import Run
from segmint.solvers import slice_answers

SIZES: dict[str, dict[str, Any]] = {
    "clustering": {"features": 10, "max_components": 8, "epochs": 2, "image_size": 0},
    "deepg": {"features": 4, "levels": 2, "components": 3, "epochs": 2, "augmentation": "none"},
}
KINDS = {
    "image": ("clustering", {"statistics": "image"}),
    "z-score": ("clustering", {"statistics": "image", "normalization": "z-score"}),
    "running": ("clustering", {"statistics": "running"}),
    "percentile": ("clustering", {"statistics": "running", "normalization": "percentile"}),
    "deepg": ("deepg", {}),
    "deepsvg": ("deepsvg", {"normalization": "min-max"}),
}


def picture(height: int = 60, width: int = 70, seed: int = 0) -> NDArray[np.uint8]:
    """(H, W, 3): stripes of three colors, one of them wider with each seed, and noise."""
    generator = np.random.default_rng(seed)
    colors = np.array([[0.9, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.8]])
    values = colors[np.indices((height, width)).sum(axis=0) // (20 + 6 * seed) % 3]
    return np.uint8(255 * np.clip(values + generator.normal(0, 0.08, values.shape), 0, 1))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    images = [Image.from_array(picture(48, 48, seed)) for seed in range(3)]
    for kind, (recipe, options) in KINDS.items():
        size = SIZES[recipe.replace("deepsvg", "deepg")]
        segmint.train(recipe, images, out=folder / kind, precision="float32", **{**size, **options})
    return folder


def opened(folder: Path, **tiling: Any) -> Run:
    return Run(folder, precision="float32", tiling=Tiling(**tiling))


def answered(
    scene: ArrayScene, outcome: SceneOutcome, block: tuple[int, int], plane: int = 0
) -> NDArray[np.int32]:
    labels = np.empty(scene.size, np.int32)
    for window in blocks(*scene.size, block):
        labels[window.slices] = outcome.answer.labels(scene, window, plane)
    return labels


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_scene_is_answered_as_the_image(runs: Path, kind: str) -> None:
    image = picture(61, 83, seed=4)
    scene = ArrayScene.of_array(image)
    run = opened(runs / kind, tile=16)
    outcome = run.of_scene(scene)
    whole = run.segment(image)
    # Frozen statistics are folded into the convolutions, which rounds otherwise.
    assert (answered(scene, outcome, (23, 40)) == whole.labels).mean() > 0.999
    assert len(np.unique(whole.labels)) > 1
    assert outcome.order == whole.order
    assert dict(outcome.names) == dict(whole.names)
    assert outcome.answer.classes == run.record["components"]
    measured = ("normalized by the statistics of all pixels",)
    assert outcome.answer.notes == (() if kind == "running" else measured)


@pytest.mark.parametrize("kind", ["z-score", "deepg"])
def test_windows_do_not_matter_where_a_sample_is_measured(
    runs: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slice_answers, "_PIXELS", 16 * 32 * 32)
    scene = ArrayScene.of_array(picture(150, 210, seed=4))
    outcome = opened(runs / kind).of_scene(scene)
    assert outcome.answer.notes[0].startswith("normalized by the statistics of 15 tiles of 32x32")
    whole = outcome.answer.labels(scene, Window.whole(150, 210))
    again = opened(runs / kind, tile=32).of_scene(scene)
    assert (answered(scene, again, (77, 61)) == whole).mean() > 0.9999


@pytest.mark.parametrize("kind", ["z-score", "running", "deepg"])
def test_slices_are_answered_each_by_itself(runs: Path, kind: str) -> None:
    stack = np.stack([picture(seed=4), picture(seed=1) // 2, picture(seed=2)])
    scene = ArrayScene.of_array(stack, stack=True)
    run = opened(runs / kind)
    whole = run.segment(Image.from_array(stack, stack=True)).labels
    outcome = run.of_scene(scene)
    for plane in (0, 2, 1, 0):  # in any order
        found = answered(scene, outcome, (60, 70), plane)
        assert (found == whole[plane]).mean() > 0.999
    if kind != "running":
        assert outcome.answer.notes[0].endswith("of all pixels, each slice by itself")


def test_values_of_any_range_are_those_of_the_whole(runs: Path) -> None:
    image = picture(61, 83, seed=4).astype(np.float32) * 40 - 900
    scene = ArrayScene.of_array(image)
    for kind in ("image", "running", "deepsvg"):
        run = opened(runs / kind)
        found = answered(scene, run.of_scene(scene), (23, 40))
        assert (found == run.predict(image)).mean() > 0.999


@pytest.mark.parametrize("kind", ["image", "deepg"])
def test_other_channels_are_refused(runs: Path, kind: str) -> None:
    with pytest.raises(InputError, match="has 1 channels, the run learned on 3: give images"):
        opened(runs / kind).of_scene(ArrayScene.of_array(np.zeros((20, 20), np.uint8)))


def test_probabilities_are_those_of_the_image_or_refused(runs: Path) -> None:
    image = picture()
    scene, window = ArrayScene.of_array(image), Window.whole(60, 70)
    run = opened(runs / "deepg")
    found = run.of_scene(scene).answer.probabilities(scene, window)
    np.testing.assert_allclose(found, run.segment(image).probabilities, atol=1e-3)
    with pytest.raises(UsageError, match="run of clustering has no probabilities"):
        opened(runs / "image").of_scene(scene).answer.probabilities(scene, window)


@pytest.mark.parametrize("kind", ["image", "deepg"])
def test_the_command_line(
    runs: Path, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = picture(61, 83, seed=4)
    tifffile.imwrite(tmp_path / "scene.tif", image, tile=(32, 32), photometric="rgb")
    where = ["--out", str(tmp_path / "out"), "--quiet", "--precision", "float32"]
    words = ["predict", str(runs / kind), str(tmp_path / "scene.tif"), *where]
    assert run_command([*words, "--stream", "tiff", "--tile", "64"]) == 0, capsys.readouterr().err
    labels = read_labels(tmp_path / "out" / "scene" / "labels.tif")
    assert (labels == opened(runs / kind).predict(image)).mean() > 0.999
