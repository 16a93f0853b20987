from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from segmint.errors import UsageError
from segmint.mixtures import GaussianMixture, SpatiallyVaryingMixture

MODELS = [GaussianMixture, SpatiallyVaryingMixture]


def two_blobs() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    truth = np.arange(80) % 2
    noise = np.random.default_rng(0).normal(size=(80, 2))
    return noise + 20.0 * truth[:, None], truth


@pytest.mark.parametrize("model", MODELS)
def test_options_are_kept_as_given(model: Any) -> None:
    means = [[0.0, 0.0], [1.0, 1.0]]
    options = model(2, means_init=means, tol=1e-5).get_params()
    assert options["means_init"] is means
    assert (options["n_components"], options["tol"], options["seed"]) == (2, 1e-5, 0)
    assert model(**options).get_params(deep=False) == options


@pytest.mark.parametrize("model", MODELS)
def test_a_clone_has_the_options_and_is_not_fitted(model: Any) -> None:
    samples, _ = two_blobs()
    mixture = model(2, means_init=samples[:2], seed=7).fit(samples)
    copy = clone(mixture)
    assert (copy.n_components, copy.seed) == (2, 7)
    np.testing.assert_array_equal(copy.means_init, samples[:2])
    assert not hasattr(copy, "weights_")
    with pytest.raises(UsageError, match="call fit first"):
        copy.predict_proba(*([samples] if model is GaussianMixture else []))


@pytest.mark.parametrize("model", MODELS)
def test_options_are_set_by_name(model: Any) -> None:
    mixture = model(2, seed=3)
    assert mixture.set_params(n_components=4, tol=0.5) is mixture
    assert (mixture.n_components, mixture.tol, mixture.seed) == (4, 0.5, 3)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seed": 1, "n_component": 3}, "no option 'n_component': did you mean 'n_components'"),
        ({"seed": 1, "tol": -1.0}, "tol is -1.0"),
    ],
)
def test_refused_options_change_nothing(model: Any, options: dict[str, Any], says: str) -> None:
    mixture = model(2)
    with pytest.raises(UsageError, match=says):
        mixture.set_params(**options)
    assert mixture.get_params() == model(2).get_params()


def test_other_options_leave_the_fitted_mixture_usable() -> None:
    samples, truth = two_blobs()
    mixture = GaussianMixture(2, means_init=samples[:2]).fit(samples)
    criterion = mixture.bic(samples)
    mixture.set_params(covariance="full")
    np.testing.assert_array_equal(mixture.predict(samples), truth)
    assert mixture.bic(samples) == criterion


def test_shows_its_options() -> None:
    shown = repr(GaussianMixture(3, covariance="full"))
    assert shown.startswith("GaussianMixture(n_components=3, covariance='full', tol=0.001,")
    assert "smoothing=2.0" in repr(SpatiallyVaryingMixture(2, smoothing=2.0))


def test_in_a_pipeline() -> None:
    samples, truth = two_blobs()
    pipeline = make_pipeline(StandardScaler(), GaussianMixture(2, seed=1))
    labels = pipeline.fit(samples, truth).predict(samples)
    scaled = StandardScaler().fit_transform(samples)
    alone = GaussianMixture(2, seed=1).fit(scaled)
    np.testing.assert_array_equal(labels, alone.predict(scaled))
    np.testing.assert_array_equal(labels == labels[0], truth == truth[0])
    np.testing.assert_array_equal(pipeline.fit_predict(samples, truth), labels)
    assert pipeline.score(samples, truth) == alone.score(scaled)
    assert "GaussianMixture" in repr(pipeline)


def test_varying_mixture_in_a_pipeline() -> None:
    samples, truth = two_blobs()
    pipeline = make_pipeline(StandardScaler(), SpatiallyVaryingMixture(2))
    labels = pipeline.fit_predict(samples, truth)
    np.testing.assert_array_equal(labels == labels[0], truth == truth[0])


def test_in_a_search() -> None:
    samples, _ = two_blobs()
    scores = cross_val_score(GaussianMixture(2), samples, cv=4)
    assert np.isfinite(scores).all()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), GaussianMixture()),
        {"gaussianmixture__n_components": [1, 2]},
        cv=4,
    ).fit(samples)
    assert search.best_params_ == {"gaussianmixture__n_components": 2}
