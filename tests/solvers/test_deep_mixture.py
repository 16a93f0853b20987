from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segmint
from segmint.errors import InputError
from segmint.images import Image
from segmint.methods.segmentation import Segmentation
from segmint.networks.storage import load_network

QUICK: dict[str, Any] = {"features": 8, "levels": 1, "learning_rate": 0.02, "max_epochs": 3}


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """float32 (24, 30, 2): a dark ground, a middle and a light square."""
    base = np.zeros((24, 30, 2))
    base[4:20, 3:14], base[6:18, 17:27] = (1.0, -1.0), (2.0, 1.0)
    return (base + np.random.default_rng(0).normal(0, 0.2, base.shape)).astype(np.float32)


@pytest.fixture
def volume(picture: np.ndarray) -> Image:
    return Image.from_array(np.stack([picture, picture + 0.02, picture[:, ::-1]]), stack=True)


def fit(image: Any, method: str = "deepsvg", **options: Any) -> Segmentation:
    given = {**QUICK, "components": 3, "precision": "float32", **options}
    return segmint.segment(image, method, **given)


@pytest.mark.parametrize("method", ["deepg", "deepsvg"])
class TestBoth:
    def test_finds_the_squares(self, picture: np.ndarray, method: str) -> None:
        found = fit(picture, method, start="em", max_epochs=40)
        assert [found.labels[1, 1], found.labels[10, 8], found.labels[12, 22]] == [0, 1, 2]
        assert found.mixture is not None
        assert (np.diff(found.mixture.means[:, 0]) > 0).all()
        assert {"iteration", "nll"} <= set(found.history[-1])

    def test_region(self, picture: np.ndarray, method: str) -> None:
        region = np.zeros((24, 30), bool)
        region[2:22, 2:29] = True
        for full_frame in (False, True):
            found = fit(picture, method, region=region, full_frame=full_frame)
            np.testing.assert_array_equal(found.labels >= 0, region)
            assert found.probabilities is not None
            assert not found.probabilities[:, ~region].any()

    def test_published_preset_runs(self, picture: np.ndarray, method: str) -> None:
        found = fit(picture, method, preset="schwab2024", max_epochs=2)
        assert found.options["start"] == "random"
        assert found.options["weight_decay"] == 1e-3
        assert len(found.history) == 2

    def test_each_slice_of_a_volume(self, volume: Image, method: str) -> None:
        found = fit(volume, method)
        assert found.labels.shape == (3, 24, 30)
        assert found.probabilities is not None
        assert found.probabilities.shape == (3, 3, 24, 30)
        assert [row["slice"] for row in found.history] == [0, 1, 2]
        assert found.labels[2, 12, 7] == 2

    def test_empty_slices_are_left_out(self, volume: Image, method: str) -> None:
        region = np.zeros((3, 24, 30), bool)
        region[1, 2:22] = True
        found = fit(volume, method, region=region)
        np.testing.assert_array_equal(found.labels >= 0, region)
        assert len(found.history) > 1
        region[2, 5:9] = True
        assert [row["slice"] for row in fit(volume, method, region=region).history] == [1, 2]

    def test_anything_outside_the_region(self, picture: np.ndarray, method: str) -> None:
        region = np.ones((24, 30), bool)
        region[:, :3] = False
        spoilt = picture.copy()
        spoilt[:, 0], spoilt[:, 1] = np.inf, np.nan
        found, expected = (fit(each, method, region=region) for each in (spoilt, picture))
        np.testing.assert_array_equal(found.labels, expected.labels)


@pytest.mark.parametrize(("axis", "planes"), [("rows", 24), ("columns", 30)])
def test_other_axes(volume: Image, axis: str, planes: int) -> None:
    found = fit(volume, axis=axis, max_epochs=1, min_epochs=0)
    assert found.labels.shape == (3, 24, 30)
    assert len(found.history) == planes


def test_axis_is_only_another_way_to_cut(volume: Image) -> None:
    turned = Image.from_array(np.moveaxis(volume.pixels, 1, 0).copy(), stack=True)
    found, expected = fit(volume, axis="rows", max_epochs=1), fit(turned, max_epochs=1)
    np.testing.assert_array_equal(np.moveaxis(found.labels, 1, 0), expected.labels)


class TestKnownMeans:
    @pytest.fixture
    def means(self, tmp_path: Path) -> str:
        path = tmp_path / "mu.yaml"
        path.write_text("light: [1.9, 1.0]\nground: [-0.6, 0.1]\nmiddle: [0.6, -1.6]\n")
        return str(path)

    @pytest.mark.parametrize("lam", [0.0, 1.0])
    @pytest.mark.parametrize("start", ["em", "random"])
    def test_names_and_order(self, picture: np.ndarray, means: str, lam: float, start: str) -> None:
        found = fit(picture, mu_data=means, components=None, lam=lam, start=start, max_epochs=60)
        assert found.names == {0: "light", 1: "ground", 2: "middle"}
        assert [found.labels[1, 1], found.labels[10, 8], found.labels[12, 22]] == [1, 2, 0]
        assert any("--lam above 0" in note for note in found.notes) == (lam == 0)

    def test_draw_the_means(self, picture: np.ndarray, means: str) -> None:
        distances = []
        for lam in (0.0, 10.0):
            found = fit(picture, mu_data=means, components=None, lam=lam, max_epochs=40)
            assert found.mixture is not None
            known = np.array([[1.9, 1.0], [-0.6, 0.1], [0.6, -1.6]])
            distances.append(np.square(found.mixture.means - known).sum())
        assert distances[1] < distances[0]


class TestModels:
    def test_saved_network_goes_on(self, picture: np.ndarray, tmp_path: Path) -> None:
        file = tmp_path / "net.safetensors"
        first = fit(picture, save_model=str(file), max_epochs=8)
        assert load_network(file).configuration["classes"] == 3
        again = fit(picture, warm_start=str(file), max_epochs=1, features=16)
        assert "the network of --warm-start has 8 features and 1 levels" in again.notes
        assert again.history[0]["nll"] == pytest.approx(first.history[-1]["nll"], abs=1e-4)

    def test_from_slice_to_slice(self, volume: Image) -> None:
        cold = fit(volume, start="random", max_epochs=2, min_epochs=0)
        warm = fit(volume, start="random", max_epochs=2, min_epochs=0, warm_start="slices")
        assert warm.history[0] == cold.history[0]
        assert warm.history[1]["nll"] < cold.history[1]["nll"]

    def test_network_of_another_size(self, picture: np.ndarray, tmp_path: Path) -> None:
        file = tmp_path / "net.safetensors"
        fit(picture, save_model=str(file))
        with pytest.raises(InputError, match="2 channels and 3 components, needed are 2 and 4"):
            fit(picture, warm_start=str(file), components=4)

    def test_no_network(self, picture: np.ndarray, tmp_path: Path) -> None:
        segmint.segment(picture, "clustering", save_model=str(tmp_path / "other"), iterations=1)
        with pytest.raises(InputError, match="network of another kind"):
            fit(picture, warm_start=str(tmp_path / "other"))
        with pytest.raises(InputError, match="does not exist"):
            fit(picture, warm_start=str(tmp_path / "absent"))


def test_watched(picture: np.ndarray) -> None:
    seen: list[tuple[int, np.ndarray]] = []
    fit(picture, observe=lambda epoch, labels: seen.append((epoch, labels)))
    assert len(seen) >= 3
    assert seen[-1][1].shape == (24, 30)
    assert seen[-1][1].dtype == np.int32
