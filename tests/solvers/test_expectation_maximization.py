"""Reference: scikit-learn on the same pixels, one sample a pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture as Reference

import segmint
from segmint.errors import InputError, UsageError
from segmint.images import Image
from segmint.methods.segmentation import Segmentation


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """uint8 (40, 50, 3): three areas with their own colors, noisy."""
    generator = np.random.default_rng(0)
    base = np.full((40, 50, 3), (40, 60, 90), np.float64)
    base[:, 20:] = (120, 110, 70)
    base[25:] = (200, 190, 210)
    return np.clip(base + generator.normal(0, 9, base.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def means(tmp_path: Path) -> Path:
    """Known z-scores of the three areas, dark to light and one a channel apart."""
    path = tmp_path / "mu.csv"
    path.write_text("class,r,g,b\nlight,1.2,1.2,1.4\ndark,-1.2,-1.1,-0.6\nmiddle,0,0,-0.9\n")
    return path


def fit(image: Any, method: str = "em-gmm", **options: Any) -> Segmentation:
    return segmint.segment(image, method, **{"components": 3, "tol": 1e-6, **options})


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("covariance", ["diag", "full"])
def test_as_the_reference_has_it(picture: np.ndarray, dtype: str, covariance: str) -> None:
    found = fit(picture.astype(dtype), covariance=covariance, max_iter=500)
    values = picture.reshape(-1, 3).astype(np.float64)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    assert found.mixture is not None
    reference = Reference(
        3, covariance_type=covariance, means_init=found.mixture.means, tol=1e-7, max_iter=500
    ).fit(values)
    np.testing.assert_allclose(found.mixture.means, reference.means_, atol=2e-3)
    np.testing.assert_allclose(found.history[-1]["nll"], -reference.score(values), atol=1e-4)
    assert np.mean(found.labels.ravel() == reference.predict(values)) > 0.999


def test_counted_colors_give_what_pixels_give(picture: np.ndarray) -> None:
    start = fit(picture, components=3)
    assert start.mixture is not None
    counted = fit(picture, max_iter=300)
    each = fit(picture.astype(np.float64), max_iter=300)
    assert counted.mixture is not None
    assert each.mixture is not None
    np.testing.assert_allclose(counted.mixture.means, each.mixture.means, atol=1e-3)
    assert np.mean(counted.labels == each.labels) > 0.999


@pytest.mark.parametrize("method", ["em-gmm", "em-svgmm"])
class TestBoth:
    def test_ordered_by_the_first_channel(self, picture: np.ndarray, method: str) -> None:
        found = fit(picture, method)
        assert found.mixture is not None
        assert (np.diff(found.mixture.means[:, 0]) > 0).all()
        assert found.order == "by the mean of the first channel, least first"
        assert [found.labels[5, 5], found.labels[5, 40], found.labels[35, 5]] == [0, 1, 2]

    def test_known_means_name_and_order(
        self, picture: np.ndarray, method: str, means: Path
    ) -> None:
        found = segmint.segment(picture, method, mu_data=str(means))
        assert found.names == {0: "light", 1: "dark", 2: "middle"}
        assert [found.labels[5, 5], found.labels[5, 40], found.labels[35, 5]] == [1, 2, 0]
        assert found.order == "as the classes in mu_data"

    def test_columns_follow_the_names_of_channels(
        self, picture: np.ndarray, method: str, means: Path
    ) -> None:
        swapped = Image(pixels=picture[..., ::-1].copy(), channel_names=("b", "g", "r"))
        expected = segmint.segment(picture, method, mu_data=str(means))
        found = segmint.segment(swapped, method, mu_data=str(means))
        np.testing.assert_array_equal(found.labels, expected.labels)

    def test_known_means_that_do_not_fit(
        self, picture: np.ndarray, method: str, means: Path
    ) -> None:
        with pytest.raises(InputError, match="means of 3 channels and the image has 1"):
            segmint.segment(picture[..., 0], method, mu_data=str(means))
        other = Image(pixels=picture, channel_names=("x", "y", "z"))
        with pytest.raises(InputError, match="channels x, y, z: name them alike"):
            segmint.segment(other, method, mu_data=str(means))
        with pytest.raises(UsageError, match=r"--components is 4, but .* 3 classes"):
            segmint.segment(picture, method, mu_data=str(means), components=4)

    def test_volume_at_once(self, picture: np.ndarray, method: str) -> None:
        volume = Image.from_array(np.stack([picture, picture[::-1]]), stack=True)
        found = fit(volume, method)
        flat = fit(np.concatenate([picture, picture[::-1]]), method)
        np.testing.assert_array_equal(found.labels.reshape(80, 50), flat.labels)
        assert found.probabilities is not None
        assert found.probabilities.shape == (3, 2, 40, 50)

    def test_outside_the_region_nothing_counts(self, picture: np.ndarray, method: str) -> None:
        region = np.zeros((40, 50), bool)
        region[3:38, 4:45] = True
        spoilt = picture.astype(np.float32)
        spoilt[~region] = np.nan
        found, expected = (fit(each, method, region=region) for each in (spoilt, picture))
        assert np.mean(found.labels == expected.labels) > 0.999
        assert found.probabilities is not None
        assert not found.probabilities[:, ~region].any()
        np.testing.assert_allclose(found.probabilities[:, region].sum(axis=0), 1, rtol=1e-5)

    def test_number_by_the_criterion(self, picture: np.ndarray, method: str) -> None:
        found = segmint.segment(picture, method, components="auto", max_components=5)
        assert found.mixture is not None
        assert len(found.mixture.weights) == 3
        assert found.notes[0].startswith("BIC by components: 1: ")

    @pytest.mark.parametrize("normalization", ["none", "percentile", "min-max"])
    def test_normalization_changes_little(
        self, picture: np.ndarray, method: str, normalization: str
    ) -> None:
        found = fit(picture, method, normalization=normalization)
        assert np.mean(found.labels == fit(picture, method).labels) > 0.97

    def test_fewer_pixels_than_components(self, picture: np.ndarray, method: str) -> None:
        region = np.zeros((40, 50), bool)
        region[0, :2] = True
        with pytest.raises(InputError, match="3 components are asked for, but there are only 2"):
            fit(picture, method, region=region)
        region[0, 2] = True
        assert fit(picture.astype(float), method, region=region).labels.max() <= 2

    def test_likelihood_never_falls(self, picture: np.ndarray, method: str) -> None:
        nll = [row["nll"] for row in fit(picture, method, init="random").history]
        assert (np.diff(nll) <= 1e-6).all()


def test_smoothing_makes_components_whole() -> None:
    truth = np.zeros((60, 60), int)
    truth[20:45, 15:50] = 1
    noisy = truth + np.random.default_rng(1).normal(0, 0.6, truth.shape)
    plain = fit(noisy, "em-svgmm", components=2)
    smooth = fit(noisy, "em-svgmm", components=2, smoothing=3.0)
    assert np.mean(smooth.labels == truth) > np.mean(plain.labels == truth) + 0.05


def test_a_component_of_no_pixel_is_said() -> None:
    image = np.repeat([0.0, 1.0, 5.0], 30).reshape(9, 10)
    found = fit(image, components=5, normalization="none")
    present = np.unique(found.labels)
    assert len(present) == 5 or "belongs most likely to component" in found.notes[-1]
