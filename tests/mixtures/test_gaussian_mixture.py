from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture as Reference

from segmint.mixtures import GaussianMixture, distinct_samples

Array = NDArray[np.float64]
KINDS = ("diag", "full", "spherical", "tied")
SHAPES = {"diag": (3, 3), "full": (3, 3, 3), "spherical": (3,), "tied": (3, 3)}


def blobs(count: int = 1200) -> Array:
    generator = np.random.default_rng(1)
    centers = np.array([[0.0, 0, 0], [3, 1, -4], [5, -2, 6]])[np.arange(count) % 3]
    return centers + generator.normal(size=(count, 3)) * [1, 0.5, 2]


def unit_covariances(kind: str, components: int, channels: int) -> Array:
    if kind == "diag":
        return np.ones((components, channels))
    if kind == "spherical":
        return np.ones(components)
    identity = np.eye(channels)
    return identity if kind == "tied" else np.tile(identity, (components, 1, 1))


def same_start(samples: Array, kind: str, **options: Any) -> tuple[GaussianMixture, Any]:
    """Ours and scikit-learn's, fitted from the same start."""
    means, weights = samples[[0, 1, 5]], np.array([0.5, 0.3, 0.2])
    covariances = unit_covariances(kind, 3, samples.shape[1])
    ours = GaussianMixture(
        3,
        covariance=kind,
        means_init=means,
        weights_init=weights,
        covariances_init=covariances,
        **options,
    )
    theirs = Reference(
        3,
        covariance_type=kind,
        means_init=means,
        weights_init=weights,
        precisions_init=covariances,
        reg_covar=0,
        **options,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ours.fit(samples), theirs.fit(samples)


@pytest.mark.parametrize("kind", KINDS)
def test_equals_scikit_learn_from_the_same_start(kind: str) -> None:
    samples = blobs()
    ours, theirs = same_start(samples, kind)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.converged_
    assert ours.covariances_.shape == SHAPES[kind]
    for name in ("weights_", "means_", "covariances_", "lower_bound_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-9)
    for name in ("predict_proba", "score_samples", "predict", "bic", "aic", "score"):
        expected = getattr(theirs, name)(samples)
        np.testing.assert_allclose(getattr(ours, name)(samples), expected, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_chunks_equal_scikit_learn(kind: str) -> None:
    samples = blobs(60_000).astype(np.float32)
    ours, theirs = same_start(samples.astype(np.float64), kind, tol=0.0, max_iter=5)
    narrow = GaussianMixture(
        3,
        covariance=kind,
        tol=0,
        max_iter=5,
        means_init=samples[[0, 1, 5]],
        weights_init=[0.5, 0.3, 0.2],
        covariances_init=unit_covariances(kind, 3, 3),
    ).fit(samples)
    assert narrow.predict_proba(samples).dtype == np.float32
    for mixture, tolerance in ((ours, 1e-9), (narrow, 2e-5)):
        np.testing.assert_allclose(mixture.means_, theirs.means_, atol=tolerance)
        np.testing.assert_allclose(mixture.covariances_, theirs.covariances_, atol=tolerance)
        np.testing.assert_allclose(mixture.lower_bound_, theirs.lower_bound_, atol=tolerance)
        expected = theirs.predict_proba(samples.astype(np.float64))
        np.testing.assert_allclose(mixture.predict_proba(samples), expected, atol=1e-4)


def test_values_of_the_reference() -> None:
    """Ten iterations of scikit-learn, which adds 1e-6 to variances where ours are only limited."""
    index = np.arange(600)
    samples = np.stack(
        [2 * np.sin(0.05 * index) + index % 3, np.cos(0.031 * index) + 0.3 * (index % 5)], axis=1
    )
    mixture = GaussianMixture(
        3,
        tol=0,
        max_iter=10,
        means_init=[[0, 0], [1, 1], [2, 0]],
        weights_init=[1 / 3] * 3,
        covariances_init=np.ones((3, 2)),
    ).fit(samples)
    assert mixture.n_iter_ == 10
    assert mixture.score(samples) == pytest.approx(-3.0949525027625473, abs=1e-6)
    means = [
        [-0.38761593407678924, 0.3508130430845811],
        [1.0598433776108873, 0.9833410429397258],
        [2.4572056666002373, 0.5031628636611628],
    ]
    variances = [
        [0.9670547036813237, 0.6253373620446664],
        [1.942863270934915, 0.525892402483154],
        [0.8984715031952141, 0.6512822933502737],
    ]
    np.testing.assert_allclose(mixture.means_, means, atol=1e-5)
    np.testing.assert_allclose(mixture.covariances_, variances, atol=1e-5)
    weights = [0.3515462279740106, 0.28561036584245597, 0.36284340618353333]
    np.testing.assert_allclose(mixture.weights_, weights, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("init", ["kmeans", "means"])
def test_weights_are_repetitions(kind: str, init: str) -> None:
    samples = blobs(90)
    counts = np.random.default_rng(0).integers(0, 4, 90)
    repeated = np.repeat(samples, counts, axis=0)
    options: dict[str, Any] = {"means_init": samples[:3]} if init == "means" else {}
    weighted = GaussianMixture(3, covariance=kind, **options).fit(samples, sample_weight=counts)
    plain = GaussianMixture(3, covariance=kind, **options).fit(repeated)
    np.testing.assert_allclose(weighted.means_, plain.means_, atol=1e-9)
    np.testing.assert_allclose(weighted.covariances_, plain.covariances_, atol=1e-9)
    assert weighted.lower_bound_ == pytest.approx(plain.lower_bound_)
    assert weighted.bic(samples, sample_weight=counts) == pytest.approx(plain.bic(repeated))
    assert weighted.aic(samples, sample_weight=counts) == pytest.approx(plain.aic(repeated))


@pytest.mark.parametrize("channels", [1, 3])
def test_distinct_pixels_give_the_mixture_of_all(channels: int) -> None:
    generator = np.random.default_rng(0)
    humps = np.array([40, 120, 200])[generator.integers(0, 3, 50_000)][:, None]
    noise = generator.normal(size=(50_000, channels)) * 6
    pixels = np.clip(humps + noise, 0, 255).astype(np.uint8)
    start = np.repeat([[50.0], [110.0], [220.0]], channels, axis=1)
    samples, counts, inverse = distinct_samples(pixels)
    few = GaussianMixture(3, means_init=start).fit(samples, sample_weight=counts)
    every = GaussianMixture(3, means_init=start).fit(pixels)
    np.testing.assert_allclose(few.means_ / 255, every.means_ / 255, atol=1e-6)
    np.testing.assert_array_equal(few.predict(samples)[inverse], every.predict(pixels))


@st.composite
def problems(draw: st.DrawFn) -> tuple[Array, dict[str, Any]]:
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, channels = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    samples = generator.normal(size=(count, channels))
    if draw(st.booleans()):
        samples = samples[generator.integers(0, max(1, count // 4), count)]
    if draw(st.booleans()):
        samples = np.round(samples)
    if draw(st.booleans()):
        samples[:, generator.integers(0, channels)] = generator.normal()
    samples *= 10.0 ** generator.integers(-15, 16, channels)
    samples += draw(st.sampled_from([0.0, 1.0, 1e6]))
    options = {
        "n_components": draw(st.integers(1, min(count, 6))),
        "covariance": draw(st.sampled_from(KINDS)),
        "init": draw(st.sampled_from(["kmeans", "random"])),
        "max_iter": 15,
        "tol": 0.0,
    }
    return samples, options


@settings(max_examples=1000)
@given(problems(), st.booleans())
def test_likelihood_never_falls_and_nothing_is_nan(
    problem: tuple[Array, dict[str, Any]], weighted: bool
) -> None:
    samples, options = problem
    weight = np.linspace(0.1, 2, len(samples)) if weighted else None
    mixture = GaussianMixture(**options).fit(samples, sample_weight=weight)
    bounds = np.array(mixture.lower_bounds_)
    assert np.isfinite(bounds).all()
    assert (np.diff(bounds) >= -1e-7 * np.maximum(1, np.abs(bounds[1:]))).all()
    found = [mixture.means_, mixture.covariances_, mixture.score_samples(samples)]
    assert all(np.isfinite(values).all() for values in found)
    assert mixture.weights_.sum() == pytest.approx(1)
    np.testing.assert_allclose(mixture.predict_proba(samples).sum(axis=1), 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("init", ["kmeans", "random"])
@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(np.array([[3.0, 4.0]]), id="one pixel"),
        pytest.param(np.arange(6.0).reshape(3, 2), id="as many as components"),
        pytest.param(np.full((5, 2), 0.1), id="all equal"),
        pytest.param(np.repeat([[0.0, 1.0], [2.0, 5.0]], 4, axis=0), id="two points"),
        pytest.param(np.column_stack([np.arange(9.0), np.full(9, 7.0)]), id="constant channel"),
    ],
)
def test_tiny(kind: str, init: str, samples: Array) -> None:
    components = min(len(samples), 3)
    mixture = GaussianMixture(components, covariance=kind, init=init).fit(samples)
    probabilities = mixture.predict_proba(samples)
    assert np.isfinite(probabilities).all()
    assert np.isfinite(mixture.covariances_).all()
    np.testing.assert_array_equal(mixture.empty_, np.flatnonzero(mixture.weights_ == 0))
    average = mixture.weights_ @ mixture.means_
    np.testing.assert_allclose(average, samples.mean(axis=0), atol=1e-9)


def test_far_samples_have_probabilities() -> None:
    mixture = GaussianMixture(3, seed=1).fit(blobs())
    far = np.array([[1e300, -1e300, 1e300], [-1e9, 0, 1e-300]])
    np.testing.assert_allclose(mixture.predict_proba(far).sum(axis=1), 1)
    assert np.isfinite(mixture.score_samples(far)).all()


def test_a_component_without_weight_is_listed_and_kept() -> None:
    samples = np.concatenate([np.linspace(-1, 1, 50), np.linspace(9, 11, 50)])[:, None]
    mixture = GaussianMixture(
        3, means_init=[[0.0], [10.0], [1e4]], covariances_init=np.full((3, 1), 0.5)
    ).fit(samples)
    assert mixture.empty_.tolist() == [2]
    assert mixture.weights_[2] == 0
    assert mixture.means_[2, 0] == pytest.approx(1e4)
    assert set(mixture.predict(samples)) == {0, 1}


def test_variances_stop_at_the_least() -> None:
    samples = np.concatenate([np.zeros(50), np.linspace(5, 9, 50)])[:, None]
    mixture = GaussianMixture(2, min_variance=1e-4).fit(samples)
    assert mixture.covariances_.min() == pytest.approx(1e-4 * samples.var())


@pytest.mark.parametrize("init", ["kmeans", "random"])
def test_same_seed_same_result(init: str) -> None:
    samples = blobs(40_000).astype(np.float32)
    state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    first = GaussianMixture(4, init=init, seed=3, n_init=2).fit(samples)
    second = GaussianMixture(4, init=init, seed=3, n_init=2).fit(samples)
    np.testing.assert_array_equal(first.means_, second.means_)
    np.testing.assert_array_equal(first.lower_bounds_, second.lower_bounds_)
    assert torch.equal(state, torch.random.get_rng_state())
    np.testing.assert_array_equal(numpy_state, np.random.get_state()[1])  # noqa: NPY002


def test_classes_of_a_pipeline_are_not_used() -> None:
    samples, truth = blobs(90), np.arange(90) % 3
    alone = GaussianMixture(3).fit(samples)
    beside = GaussianMixture(3).fit(samples, truth)
    np.testing.assert_array_equal(beside.means_, alone.means_)
    assert beside.score(samples, truth) == alone.score(samples)
    labels = GaussianMixture(3).fit_predict(samples, truth)
    np.testing.assert_array_equal(labels, alone.predict(samples))


@pytest.mark.parametrize("kind", ["diag", "spherical"])
def test_means_far_from_the_samples_do_not_round_alike(kind: str) -> None:
    samples = np.random.default_rng(0).normal(size=(60_000, 2)).astype(np.float32)
    options: dict[str, Any] = {
        "covariance": kind,
        "means_init": [[1e5, 0.0], [1e5, 1.0]],
        "covariances_init": unit_covariances(kind, 2, 2),
        "max_iter": 1,
    }
    expected = GaussianMixture(2, **options).fit(samples.astype(np.float64))
    mixture = GaussianMixture(2, **options).fit(samples)
    assert expected.means_[1, 1] - expected.means_[0, 1] > 0.5
    np.testing.assert_allclose(mixture.means_, expected.means_, atol=1e-5)
    np.testing.assert_allclose(mixture.weights_, expected.weights_, atol=1e-5)


def test_components_far_from_the_asked_samples_do_not_round_alike() -> None:
    generator = np.random.default_rng(0)
    centers = np.array([[-1e5, -4.0], [-1e5, 4.0], [1e5, -4.0], [1e5, 4.0]])
    samples = np.tile(centers, (100, 1)) + generator.normal(size=(400, 2))
    mixture = GaussianMixture(4, means_init=centers, min_variance=1e-12).fit(samples)
    asked = (samples.mean(axis=0) + 1e-3 * generator.normal(size=(500, 2))).astype(np.float32)
    expected = mixture.score_samples(asked.astype(np.float64))
    np.testing.assert_allclose(mixture.score_samples(asked), expected, rtol=0, atol=1e-2)


def test_threads_change_nothing() -> None:
    samples = blobs(40_000).astype(np.float32)
    one = GaussianMixture(4).fit(samples)
    torch.set_num_threads(3)
    try:
        three = GaussianMixture(4).fit(samples)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(1)
    np.testing.assert_array_equal(one.means_, three.means_)


def test_more_starts_are_never_worse() -> None:
    samples = blobs()
    bounds = [GaussianMixture(5, n_init=n, seed=2).fit(samples).lower_bound_ for n in (1, 4)]
    assert bounds[1] >= bounds[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int16, np.uint8, np.int64])
def test_takes_any_number_type_and_tensors(dtype: type) -> None:
    samples = (blobs(300) * 5 + 40).astype(dtype)
    expected = GaussianMixture(2).fit(samples.astype(np.float64))
    samples.flags.writeable = False
    for given_samples in (samples, torch.from_numpy(samples.copy())):
        mixture = GaussianMixture(2).fit(given_samples)
        np.testing.assert_allclose(mixture.means_, expected.means_, rtol=1e-9)
        assert mixture.predict(given_samples).shape == (300,)


@pytest.mark.parametrize("factor", [1e-300, 1e300])
def test_only_the_proportions_of_weights_count(factor: float) -> None:
    samples, weight = blobs(90), np.arange(90) % 4
    expected = GaussianMixture(3).fit(samples, sample_weight=weight)
    mixture = GaussianMixture(3).fit(samples, sample_weight=weight * factor)
    np.testing.assert_allclose(mixture.means_, expected.means_)


def test_score_with_the_largest_weights() -> None:
    samples = blobs(30)
    mixture = GaussianMixture(2).fit(samples)
    expected = mixture.score_samples(samples).mean()
    found = mixture.score(samples, sample_weight=np.full(30, 1e308))
    assert found == pytest.approx(expected, rel=1e-12)


def test_tensors_that_are_views_of_others() -> None:
    values = torch.from_numpy(blobs(40))
    view = torch.complex(torch.zeros_like(values), -values).conj().imag
    assert view.is_neg()
    found, expected = GaussianMixture(2).fit(view), GaussianMixture(2).fit(values.numpy())
    np.testing.assert_array_equal(found.means_, expected.means_)


@pytest.mark.parametrize("kind", KINDS)
def test_means_just_near_enough_to_be_computed_with(kind: str) -> None:
    samples = blobs(60)
    start = np.stack([samples[0], np.full(3, 1e99)])
    mixture = GaussianMixture(2, covariance=kind, means_init=start, min_variance=1e-12)
    mixture.fit(samples)
    np.testing.assert_allclose(mixture.means_[0], samples.mean(axis=0))
    np.testing.assert_array_equal(mixture.empty_, [1])


def test_torch_device() -> None:
    samples = blobs(60)
    found = GaussianMixture(2, device=torch.device("cpu")).fit(samples)
    np.testing.assert_array_equal(found.means_, GaussianMixture(2).fit(samples).means_)
