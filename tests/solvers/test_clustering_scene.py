from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from segmint.errors import UsageError
from segmint.images import to_unit_range
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window, blocks
from segmint.inference.memory_limit import MemoryLimit, held_memory
from segmint.inference.scene_answer import SceneOutcome
from segmint.methods.clustering import ClusteringOptions
from segmint.methods.segment import fit_scene
from segmint.networks.clustering import ClusteringNetwork
from segmint.networks.storage import load_network
from segmint.solvers import network_answer
from segmint.solvers.clustering import prepare
from segmint.solvers.reduction import to_input

SMALL: dict[str, Any] = {"features": 12, "max_components": 16, "iterations": 6}


def picture(height: int = 60, width: int = 70) -> np.ndarray:
    """uint8 (H, W, 3): stripes of three colors and noise."""
    generator = np.random.default_rng(0)
    colors = np.array([[0.9, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.8]])
    values = colors[np.indices((height, width)).sum(axis=0) // 20 % 3]
    return np.uint8(255 * np.clip(values + generator.normal(0, 0.08, values.shape), 0, 1))


def fitted(scene: ArrayScene, **options: Any) -> SceneOutcome:
    return fit_scene(scene, "clustering", precision="float32", **{**SMALL, **options})


def labels_of(scene: ArrayScene, outcome: SceneOutcome, block: tuple[int, int]) -> np.ndarray:
    labels = np.empty(scene.size, np.int32)
    for window in blocks(*scene.size, block):
        labels[window.slices] = outcome.answer.labels(scene, window)
    return labels


def probabilities_of(
    scene: ArrayScene, outcome: SceneOutcome, block: tuple[int, int]
) -> np.ndarray:
    found = np.empty((outcome.answer.classes, *scene.size), np.float32)
    for window in blocks(*scene.size, block):
        found[(slice(None), *window.slices)] = outcome.answer.probabilities(scene, window)
    return found


@pytest.mark.parametrize("color_space", ["lab", "rgb"])
@pytest.mark.parametrize("blocks_of_layers", [1, 3])
def test_windows_answer_as_the_saved_network_does_of_the_whole(
    color_space: str, blocks_of_layers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_answer, "_LONGEST", 16)
    image = picture()
    scene = ArrayScene.of_array(image)
    own = {"color_space": color_space, "blocks": blocks_of_layers}
    file = tmp_path / "network.safetensors"
    outcome = fitted(scene, save_model=str(file), **own)
    network = load_network(file)
    assert isinstance(network, ClusteringNetwork)
    assert network.statistics == "running"
    seen = prepare(to_unit_range(image), ClusteringOptions(**SMALL, **own))
    with torch.no_grad():
        response = network(to_input(seen, torch.device("cpu")))[0]
    channels = response.argmax(dim=0).numpy()
    winners, labels = np.unique(channels, return_inverse=True)
    found = labels_of(scene, outcome, (25, 40))
    assert (found == labels.reshape(channels.shape)).mean() > 0.999
    expected = response[torch.from_numpy(winners)].softmax(dim=0).numpy()
    np.testing.assert_allclose(probabilities_of(scene, outcome, (25, 40)), expected, atol=1e-4)


def test_a_sample_is_learned_on_and_windows_do_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = picture(200, 230)
    region = np.ones((200, 230), np.uint8)
    region[:50, 100:] = 0
    scene = ArrayScene.of_array(image)
    outcome = fitted(scene, working_pixels=690, components=3, region=ArrayScene.of_array(region))
    assert outcome.notes[0] == "learned on 16 tiles of 16x16 pixels, 8.9 % of the image"
    assert outcome.answer.classes == 3
    whole = outcome.answer.probabilities(scene, Window.whole(200, 230))
    labels = outcome.answer.labels(scene, Window.whole(200, 230))
    assert len(np.unique(labels[region > 0])) == 3
    monkeypatch.setattr(network_answer, "_LONGEST", 32)
    again = fitted(scene, working_pixels=690, components=3, region=ArrayScene.of_array(region))
    np.testing.assert_allclose(probabilities_of(scene, again, (77, 61)), whole, atol=1e-4)
    assert (labels_of(scene, again, (77, 61)) == labels).mean() > 0.9999


def test_pixels_outside_the_region_play_no_part() -> None:
    image, region = picture(), np.ones((60, 70), np.uint8)
    region[:, 50:] = 0
    other = image.copy()
    other[:, 50:] = 7
    found = [
        labels_of(scene, fitted(scene, region=ArrayScene.of_array(region)), (60, 70))[:, :50]
        for scene in (ArrayScene.of_array(image), ArrayScene.of_array(other))
    ]
    np.testing.assert_array_equal(*found)


def test_exact_number_of_components_and_refusal() -> None:
    scene = ArrayScene.of_array(picture())
    assert fitted(scene, components=4).answer.classes == 4
    pixel = ArrayScene.of_array(np.full((1, 1, 3), 9, np.uint8))
    with pytest.raises(UsageError, match="--components is 2, but 1 regions were found"):
        fitted(pixel, components=2)


def test_normalization_is_that_of_the_sample(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(500, 40, (40, 50, 2)).astype(np.float32)
    values[:, 25:] += 300
    scene = ArrayScene.of_array(values)
    file = tmp_path / "network.safetensors"
    outcome = fitted(scene, normalization="z-score", save_model=str(file))
    seen = prepare(to_unit_range(values), ClusteringOptions(normalization="z-score"))
    with torch.no_grad():
        channels = load_network(file)(to_input(seen, torch.device("cpu")))[0].argmax(dim=0)
    expected = np.unique(channels.numpy(), return_inverse=True)[1].reshape(40, 50)
    assert (labels_of(scene, outcome, (64, 64)) == expected).mean() > 0.999


def test_several_starts_tell_how_they_agree() -> None:
    outcome = fitted(ArrayScene.of_array(picture()), restarts=2)
    assert any("agreement of 2 starts" in note for note in outcome.notes)


def test_all_slices_of_a_stack_share_a_network() -> None:
    stack = np.stack([picture(), picture()])
    scene = ArrayScene.of_array(stack, stack=True)
    outcome = fitted(scene)
    first, second = (
        outcome.answer.labels(scene, Window.whole(60, 70), plane) for plane in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_a_limit_too_small_for_a_tile_names_one_that_works() -> None:
    scene = ArrayScene.of_array(picture())
    with pytest.raises(UsageError, match=r"--max-memory is .* GiB, but .* needs at least .* GiB"):
        fitted(scene, limit=MemoryLimit(held_memory()))
