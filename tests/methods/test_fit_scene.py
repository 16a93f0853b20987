from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segmint.errors import InputError, UsageError
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window, blocks
from segmint.methods import methods
from segmint.methods.segment import check_scene_abilities, fit_scene

QUICK: dict[str, dict[str, Any]] = {
    "clustering": {"features": 8, "max_components": 12, "iterations": 4},
    "kmeans": {"components": 3},
    "deepg": {"features": 4, "levels": 1, "learning_rate": 0.02, "max_epochs": 2, "start": "em"},
    "deepsvg": {"features": 4, "levels": 1, "learning_rate": 0.02, "max_epochs": 2, "start": "em"},
}
ABLE = [name for name in methods if methods.load(name).fit_scene is not None]


def picture(dtype: str = "uint8", channels: int = 3) -> np.ndarray:
    """(40, 52, C): three areas and noise."""
    base = np.full((40, 52), 0.2)
    base[:, 30:], base[20:, 4:20] = 0.55, 0.9
    values = base[..., None] * np.linspace(1, 0.6, channels)
    values = np.clip(values + np.random.default_rng(0).normal(0, 0.02, values.shape), 0, 1)
    kind = np.dtype(dtype)
    return (values * (1 if kind.kind == "f" else np.iinfo(kind).max)).astype(kind)


def labels_of(image: np.ndarray, method: str, *, seed: int = 0, stack: bool = False) -> np.ndarray:
    scene = ArrayScene.of_array(image, stack=stack)
    outcome = fit_scene(scene, method, seed=seed, precision="float32", **QUICK.get(method, {}))
    labels = np.empty((scene.planes, *scene.size), np.int32)
    for plane in range(scene.planes):
        for window in blocks(*scene.size, (16, 31)):
            labels[(plane, *window.slices)] = outcome.answer.labels(scene, window, plane)
    assert labels.min() >= 0
    assert labels.max() < outcome.answer.classes
    assert all(side > 0 for side in outcome.answer.block)
    return labels.reshape(scene.shape)


def test_who_is_able() -> None:
    assert ABLE == ["hybrid", "clustering", "em-gmm", "deepg", "deepsvg", "kmeans"]


@pytest.mark.parametrize("method", ABLE)
class TestEveryMethod:
    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int32"])
    @pytest.mark.parametrize("channels", [1, 5])
    def test_any_pixels(self, method: str, dtype: str, channels: int) -> None:
        labels = labels_of(picture(dtype, channels), method)
        assert len(np.unique(labels)) > 1

    def test_same_seed_same_labels(self, method: str) -> None:
        first, again = (labels_of(picture(), method, seed=3) for _ in range(2))
        np.testing.assert_array_equal(first, again)

    def test_a_stack(self, method: str) -> None:
        labels_of(np.stack([picture(), picture()[:, ::-1]]), method, stack=True)

    def test_a_single_pixel(self, method: str) -> None:
        options = {**QUICK.get(method, {})}
        if "components" in methods.load(method).options.names() and method != "hybrid":
            options["components"] = 1
        scene = ArrayScene.of_array(np.full((1, 1, 3), 9, np.uint8))
        outcome = fit_scene(scene, method, precision="float32", **options)
        assert outcome.answer.labels(scene, Window.whole(1, 1)).tolist() == [[0]]

    def test_values_that_are_no_numbers_are_refused(self, method: str) -> None:
        image = picture("float32")
        image[3, 4] = np.nan
        with pytest.raises(InputError, match="NaN or infinite"):
            labels_of(image, method)

    def test_an_empty_region_is_refused(self, method: str) -> None:
        scene = ArrayScene.of_array(picture())
        nowhere = ArrayScene.of_array(np.zeros((40, 52), np.uint8))
        with pytest.raises(InputError, match="no pixel of the image counts"):
            fit_scene(scene, method, region=nowhere, **QUICK.get(method, {}))

    def test_a_region_of_another_size_is_refused(self, method: str) -> None:
        scene = ArrayScene.of_array(picture())
        other = ArrayScene.of_array(np.ones((40, 51), np.uint8))
        with pytest.raises(InputError, match=r"region has shape \(40, 51\)"):
            fit_scene(scene, method, region=other)


@pytest.mark.parametrize("method", [name for name in methods if name not in ABLE])
def test_others_have_to_see_the_whole_image(method: str) -> None:
    scene = ArrayScene.of_array(picture())
    with pytest.raises(UsageError, match=f"'{method}' has to see the whole image at once.*em-gmm"):
        fit_scene(scene, method)


def test_scribbles_are_refused() -> None:
    check_scene_abilities("hybrid")
    with pytest.raises(UsageError, match="scribbles are for images that are held in memory"):
        check_scene_abilities("hybrid", scribbles=True)


def test_a_network_is_saved_where_one_is_learned(tmp_path: Path) -> None:
    scene = ArrayScene.of_array(picture())
    for method in ("clustering", "deepg"):
        file = tmp_path / f"{method}.safetensors"
        fit_scene(scene, method, save_model=str(file), **QUICK[method])
        assert file.is_file()
    with pytest.raises(UsageError, match="learns no network to save"):
        fit_scene(scene, "em-gmm", save_model=str(tmp_path / "none.safetensors"))
