from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import segmint
from segmint.errors import InputError, UsageError
from segmint.images import Image
from segmint.images.array_scene import ArrayScene
from segmint.images.window import blocks
from segmint.inference.tiling import Tiling
from segmint.inference.views import Views
from segmint.metrics.disagreement import disagreement
from segmint.networks.storage import load_network, save_network
from segmint.recipes.ensemble import Ensemble
from segmint.recipes.opening import open_answering
from segmint.recipes.run import Run
from segmint.runs import write_json

sys.path.insert(0, str(Path(__file__).parent))
from export_example import DEVIATION, MEAN, network, picture, record, write_peers, write_run


def another_run(folder: Path, seed: int, **further: Any) -> Path:
    """A run with other weights."""
    write_run(folder, **further)
    save_network(folder / "network.safetensors", network(seed), name="unet")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of the same classes, one of them with another size, one with peers."""
    folder = tmp_path_factory.mktemp("runs")
    another_run(folder / "a", 3)
    another_run(folder / "b", 8)
    another_run(folder / "c", 9, normalization="image", resize=30)
    write_peers(folder / "peers")
    return folder


def opened(folder: Path, **tiling: Any) -> Run:
    return Run(folder, precision="float32", tiling=Tiling(**tiling))


def probabilities(file: Path, image: np.ndarray) -> np.ndarray:
    """(K, H, W) of one network, by one plain call."""
    values = (image / 255 - np.array(MEAN)) / np.array(DEVIATION)
    tensor = torch.from_numpy(values.astype(np.float32).transpose(2, 0, 1)[np.newaxis])
    with torch.inference_mode():
        return load_network(file).eval()(tensor)[0].softmax(dim=0).numpy()


def of_runs(folder: Path, image: np.ndarray, *names: str) -> list[np.ndarray]:
    return [probabilities(folder / name / "network.safetensors", image) for name in names]


def test_the_mean_of_two_runs(runs: Path) -> None:
    image = picture(5)
    expected = np.mean(of_runs(runs, image, "a", "b"), axis=0)
    ensemble = Ensemble([opened(runs / "a"), opened(runs / "b")])
    found = ensemble.segment(image)
    np.testing.assert_allclose(found.probabilities, expected, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(found.labels, found.probabilities.argmax(axis=0))
    np.testing.assert_array_equal(ensemble.predict(image), found.labels)
    assert not np.array_equal(found.labels, opened(runs / "a").predict(image))
    assert list(found.names.values()) == ["night", "disk", "bar"]


def test_every_network_counts_the_same(runs: Path) -> None:
    image = picture(5)
    peers = [
        probabilities(runs / "peers" / "networks" / f"{name}.safetensors", image) for name in "ab"
    ]
    expected = np.mean([*of_runs(runs, image, "b"), *peers], axis=0)
    found = Ensemble([opened(runs / "peers"), opened(runs / "b")]).segment(image)
    np.testing.assert_allclose(found.probabilities, expected, rtol=0, atol=1e-4)


def test_each_run_has_its_own_preprocessing(runs: Path) -> None:
    image = picture(5)
    alone = [opened(runs / name).segment(image).probabilities for name in "ac"]
    assert np.abs(alone[0] - alone[1]).max() > 0.01
    found = Ensemble([opened(runs / name) for name in "ac"]).segment(image)
    np.testing.assert_allclose(found.probabilities, np.mean(alone, axis=0), rtol=0, atol=1e-5)


def test_order_and_number_do_not_matter(runs: Path) -> None:
    image = picture(5)
    first = Ensemble([opened(runs / name) for name in "abb"]).segment(image)
    again = Ensemble([opened(runs / name) for name in "bab"]).segment(image)
    np.testing.assert_allclose(first.probabilities, again.probabilities, rtol=0, atol=1e-6)
    twice = Ensemble([opened(runs / "a"), opened(runs / "a")]).segment(image)
    alone = opened(runs / "a").segment(image)
    np.testing.assert_allclose(twice.probabilities, alone.probabilities, rtol=0, atol=1e-6)


def test_a_stack_and_a_region(runs: Path) -> None:
    stack = Image.from_array(np.stack([picture(seed) for seed in range(3)]), stack=True)
    region = np.zeros((3, 45, 38), bool)
    region[:, 10:, :30] = True
    ensemble = Ensemble([opened(runs / "a"), opened(runs / "b")])
    found = ensemble.segment(stack, region=region)
    assert found.labels.shape == (3, 45, 38)
    for plane in range(3):
        expected = np.mean(of_runs(runs, stack.pixels[plane], "a", "b"), axis=0).argmax(axis=0)
        agrees = found.labels[plane][region[plane]] == expected[region[plane]]
        assert agrees.mean() > 0.999
    assert (found.labels[~region] == -1).all()


def test_uncertainty_is_how_much_they_disagree(runs: Path) -> None:
    image = picture(5)
    ensemble = Ensemble([opened(runs / "a"), opened(runs / "b")])
    assert ensemble.are_several
    expected = disagreement(of_runs(runs, image, "a", "b"))
    found = ensemble.segment(image).uncertainty
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    assert found.max() > 0.001
    region = np.zeros((45, 38), bool)
    region[:20] = True
    within = ensemble.segment(image, region=region).uncertainty
    np.testing.assert_array_equal(within, np.where(region, found, 0))


@pytest.mark.parametrize(
    "tiling", [{"tile": 64}, {"tile": 64, "views": Views(flips=True, rotations=True)}]
)
def test_windows_of_a_scene(runs: Path, tiling: dict[str, Any]) -> None:
    image = picture(5, 130, 90)
    ensemble = Ensemble([opened(runs / name, **tiling) for name in ("a", "b", "c")])
    whole = ensemble.segment(image).probabilities
    scene = ArrayScene.of_array(image)
    outcome = ensemble.of_scene(scene)
    assert dict(outcome.names) == {0: "night", 1: "disk", 2: "bar"}
    for window in blocks(130, 90, (50, 64)):
        found = outcome.answer.probabilities(scene, window)
        np.testing.assert_allclose(found, whole[:, *window.slices], rtol=0, atol=1e-5)


def test_what_a_result_says(runs: Path) -> None:
    ensemble = Ensemble([opened(runs / "a"), opened(runs / "peers")])
    assert ensemble.method == "ensemble of run of unet, run of mutual"
    first, second = ensemble.described["members"]
    assert first["run"] == str(runs / "a")
    assert (second["run"], second["peer"]) == (str(runs / "peers"), "ensemble")
    assert (ensemble.arithmetic, ensemble.classes, ensemble.seed) == ("float32", 3, 0)


def test_a_run_that_was_trained_again_is_another(tmp_path: Path) -> None:
    """So that a scene is not finished with the answers of another network."""
    folders = [write_run(tmp_path / "a"), another_run(tmp_path / "b", 1)]
    before = Ensemble([opened(folder) for folder in folders]).identity
    assert Ensemble([opened(folder) for folder in folders]).identity == before
    time = (folders[1] / "run.json").stat().st_mtime_ns + 10**9
    os.utime(folders[1] / "run.json", ns=(time, time))
    assert Ensemble([opened(folder) for folder in folders]).identity != before


class TestRefusals:
    @pytest.mark.parametrize("number", [0, 1])
    def test_too_few(self, runs: Path, number: int) -> None:
        with pytest.raises(UsageError, match=f"an ensemble of {number}: give two runs or more"):
            Ensemble([opened(runs / "a")] * number)

    def test_other_classes(self, runs: Path, tmp_path: Path) -> None:
        told = record("unet", {}, activation="softmax") | {"classes": ["disk", "night", "bar"]}
        other = write_run(tmp_path / "other")
        write_json(other / "run.json", told)
        with pytest.raises(InputError, match=r"disk, night, bar and .* night, disk, bar: only"):
            Ensemble([opened(runs / "a"), opened(other)])

    def test_other_channels(self, runs: Path, tmp_path: Path) -> None:
        told = record("unet", {}, activation="softmax") | {"channels": 1}
        told["preprocessing"] |= {"mean": [0.5], "deviation": [0.2]}
        other = write_run(tmp_path / "gray")
        gray = segmint.networks.build("unet", in_channels=1, classes=3, features=4, levels=2)
        save_network(other / "network.safetensors", gray, name="unet")
        write_json(other / "run.json", told)
        with pytest.raises(InputError, match=r"learned on 1 channels and .* on 3: only runs"):
            Ensemble([opened(runs / "a"), opened(other)])

    def test_a_run_of_components(self, runs: Path, tmp_path: Path) -> None:
        options = {"features": 4, "max_components": 4, "epochs": 1, "image_size": 0}
        images = [Image.from_array(picture(seed)) for seed in range(2)]
        segmint.train("clustering", images, out=tmp_path / "run", precision="float32", **options)
        for folders in ((runs / "a", tmp_path / "run"), (tmp_path / "run", runs / "a")):
            with pytest.raises(UsageError, match="run of clustering learned components and not"):
                open_answering(folders, precision="float32")

    def test_images_unlike_those_of_training(self, runs: Path) -> None:
        ensemble = Ensemble([opened(runs / "a"), opened(runs / "b")])
        gray = picture(5)[..., :1]
        with pytest.raises(InputError, match="learned on 3"):
            ensemble.predict(gray)
        with pytest.raises(InputError, match="learned on 3"):
            ensemble.of_scene(ArrayScene.of_array(gray))


class TestOpening:
    def test_one_is_a_run(self, runs: Path) -> None:
        found = open_answering([runs / "a"], precision="float32")
        assert isinstance(found, Run)
        np.testing.assert_array_equal(
            found.predict(picture(5)), opened(runs / "a").predict(picture(5))
        )

    def test_several_are_an_ensemble(self, runs: Path) -> None:
        views = Tiling(views=Views(flips=True))
        found = open_answering([str(runs / "a"), runs / "b"], precision="float32", tiling=views)
        assert isinstance(found, Ensemble)
        assert all("tta" in each for each in found.described["members"])
        expected = Ensemble([opened(runs / name, views=views.views) for name in "ab"])
        np.testing.assert_array_equal(found.predict(picture(5)), expected.predict(picture(5)))

    def test_a_peer_of_the_first(self, runs: Path) -> None:
        image = picture(5)
        found = open_answering([runs / "peers", runs / "b"], precision="float32", peer="a")
        own = probabilities(runs / "peers" / "networks" / "a.safetensors", image)
        expected = np.mean([own, *of_runs(runs, image, "b")], axis=0)
        np.testing.assert_allclose(found.segment(image).probabilities, expected, rtol=0, atol=1e-4)

    def test_what_is_not_there(self, runs: Path) -> None:
        with pytest.raises(InputError, match="is not a finished run"):
            open_answering([runs / "a", runs / "missing"])
        with pytest.raises(InputError):
            open_answering([runs / "missing.onnx"])

    def test_a_peer_that_there_is_not(self, runs: Path) -> None:
        with pytest.raises(UsageError, match="--peer is 'c'"):
            open_answering([runs / "peers", runs / "a"], peer="c")
