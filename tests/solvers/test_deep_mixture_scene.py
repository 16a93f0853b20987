from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import segmint
from segmint.errors import UsageError
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window, blocks
from segmint.inference.scene_answer import SceneOutcome
from segmint.methods.segment import fit_scene
from segmint.networks.reach import measured_reach
from segmint.networks.storage import load_network
from segmint.networks.unet_deepg import DeepGUNet
from segmint.solvers import deep_mixture_scene, network_answer
from segmint.solvers.deep_mixture_scene import reach_of
from segmint.solvers.frozen_statistics import freeze_statistics
from segmint.solvers.reduction import to_input

QUICK: dict[str, Any] = {
    "features": 6,
    "levels": 2,
    "learning_rate": 0.02,
    "max_epochs": 4,
    "components": 3,
    "start": "em",
}


def picture(height: int = 70, width: int = 90) -> np.ndarray:
    """float32 (H, W, 2): a dark ground, a middle and a light area."""
    base = np.zeros((height, width, 2))
    base[height // 3 :, : width // 2], base[:, 3 * width // 4 :] = (1.0, -1.0), (2.0, 1.0)
    return (base + np.random.default_rng(0).normal(0, 0.2, base.shape)).astype(np.float32)


def fitted(scene: ArrayScene, method: str = "deepsvg", **options: Any) -> SceneOutcome:
    return fit_scene(scene, method, precision="float32", **{**QUICK, **options})


def probabilities_of(
    scene: ArrayScene, outcome: SceneOutcome, block: tuple[int, int]
) -> np.ndarray:
    found = np.empty((outcome.answer.classes, *scene.size), np.float32)
    for window in blocks(*scene.size, block):
        found[(slice(None), *window.slices)] = outcome.answer.probabilities(scene, window)
    return found


@pytest.mark.parametrize("method", ["deepg", "deepsvg"])
def test_of_a_small_image_it_is_what_the_method_finds(method: str) -> None:
    image = picture()
    scene = ArrayScene.of_array(image)
    outcome = fitted(scene, method)
    whole = segmint.segment(image, method, precision="float32", **QUICK)
    assert whole.probabilities is not None
    found = probabilities_of(scene, outcome, (70, 90))
    np.testing.assert_allclose(found, whole.probabilities, atol=1e-3)
    labels = outcome.answer.labels(scene, Window.whole(70, 90))
    assert (labels == whole.labels).mean() > 0.999
    assert outcome.order == whole.order
    assert outcome.history == whole.history
    assert outcome.mixture is not None
    assert whole.mixture is not None
    np.testing.assert_allclose(outcome.mixture.means, whole.mixture.means, atol=1e-3)


@pytest.mark.parametrize("size", [(70, 91), (64, 64), (37, 130)])
def test_windows_answer_as_the_frozen_network_does_of_the_whole(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_answer, "_LONGEST", 16)
    image = picture(*size)
    scene = ArrayScene.of_array(image)
    file = tmp_path / "network.safetensors"
    outcome = fitted(scene, save_model=str(file), normalization="none")
    network = load_network(file)
    seen = to_input(image, torch.device("cpu"))
    freeze_statistics(network, seen)
    with torch.no_grad():
        expected = network(seen)[0].softmax(dim=0).numpy()
    means = np.einsum("khw,hwc->kc", expected, image) / expected.sum(axis=(1, 2))[:, None]
    expected = expected[np.argsort(means[:, 0])]
    np.testing.assert_allclose(probabilities_of(scene, outcome, (33, 41)), expected, atol=1e-4)


def test_a_sample_is_learned_on_and_windows_do_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deep_mixture_scene, "MOSAIC_PIXELS", 9 * 32 * 32)
    scene = ArrayScene.of_array(picture(150, 210))
    region = np.ones((150, 210), np.uint8)
    region[:40] = 0
    where = ArrayScene.of_array(region)
    outcome = fitted(scene, region=where)
    assert outcome.notes[0] == "learned on 9 tiles of 32x32 pixels, 29 % of the image"
    whole = outcome.answer.probabilities(scene, Window.whole(150, 210))
    np.testing.assert_allclose(whole.sum(axis=0), 1, rtol=1e-5)
    monkeypatch.setattr(network_answer, "_LONGEST", 32)
    again = fitted(scene, region=where)
    np.testing.assert_allclose(probabilities_of(scene, again, (61, 77)), whole, atol=1e-4)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_the_reach_covers_what_is_measured(levels: int) -> None:
    network = DeepGUNet(in_channels=1, classes=2, features=2, levels=levels)
    freeze_statistics(network, torch.randn(1, 1, 64, 64))
    measured, said = measured_reach(network), reach_of(levels)
    assert said.step == measured.step
    assert measured.halo is not None
    assert said.halo is not None
    assert said.halo == max(measured.halo, 6 * said.step)


def test_slices_of_a_stack_share_a_network_and_other_axes_are_refused() -> None:
    stack = np.stack([picture(), picture()])
    scene = ArrayScene.of_array(stack, stack=True)
    outcome = fitted(scene)
    first, second = (
        outcome.answer.labels(scene, Window.whole(70, 90), plane) for plane in range(2)
    )
    np.testing.assert_array_equal(first, second)
    with pytest.raises(UsageError, match="--axis is rows"):
        fitted(scene, axis="rows")
