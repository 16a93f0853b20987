from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import convolve
from scipy.stats import norm

from segmint.mixtures import SpatiallyVaryingMixture

Array = NDArray[np.float64]


def waves() -> Array:
    index = np.arange(600)
    return np.stack(
        [2 * np.sin(0.05 * index) + index % 3, np.cos(0.031 * index) + 0.3 * (index % 5)], axis=1
    )


def start(means: Any, channels: int) -> dict[str, Any]:
    count = len(means)
    return {
        "means_init": means,
        "weights_init": np.full(count, 1 / count),
        "covariances_init": np.ones((count, channels)),
    }


def published(
    samples: Array, means: Array, iterations: int, smoothing: float = 0, grid: Any = None
) -> tuple[Array, Array, list[float]]:
    """The formulas in linear space, with the smoothing of the weights written by a convolution."""
    weights = np.full((len(samples), len(means)), 1 / len(means))
    variances = np.ones_like(means)
    likelihoods = []
    for _ in range(iterations):
        weights = weights * densities(samples, means, variances)
        weights /= weights.sum(axis=1, keepdims=True)
        if smoothing > 0:
            weights = weights * np.exp(smoothing * neighbor_means(weights, grid))
            weights /= weights.sum(axis=1, keepdims=True)
        mass = weights.sum(axis=0)[:, None]
        means = weights.T @ samples / mass
        squares = (samples[:, None] - means) ** 2
        variances = (weights[:, :, None] * squares).sum(axis=0) / mass
        mixed = (weights * densities(samples, means, variances)).sum(axis=1)
        likelihoods.append(float(np.log(mixed).mean()))
    return weights, means, likelihoods


def densities(samples: Array, means: Array, variances: Array) -> Array:
    return np.asarray(norm.pdf(samples[:, None], means, np.sqrt(variances)).prod(axis=2))


def neighbor_means(weights: Array, grid: NDArray[np.bool_]) -> Array:
    center = (slice(1, 2),) * grid.ndim
    kernel = np.zeros((3,) * grid.ndim)
    for axis in range(grid.ndim):
        line = list(center)
        line[axis] = slice(None)
        kernel[tuple(line)] = 1
    kernel[center] = 0
    counts = convolve(grid.astype(float), kernel, mode="constant")[grid]
    means = np.empty_like(weights)
    for component in range(weights.shape[1]):
        plane = np.zeros(grid.shape)
        plane[grid] = weights[:, component]
        sums = convolve(plane, kernel, mode="constant")[grid]
        means[:, component] = sums / np.maximum(counts, 1)
    return means


def test_values_of_the_reference() -> None:
    mixture = SpatiallyVaryingMixture(
        3, tol=0, max_iter=10, **start([[0, 0], [1, 1], [2, 0]], 2)
    ).fit(waves())
    likelihoods = [
        2.597864902327542,
        2.3947435803799153,
        2.302530832680525,
        2.2656499670876853,
        2.2485536903760195,
        2.2394674931986676,
        2.234425891488187,
        2.231455653032605,
        2.229535816960514,
        2.228195391811149,
    ]
    np.testing.assert_allclose(-np.array(mixture.lower_bounds_), likelihoods, atol=1e-6)
    means = [
        [-0.5969271350197158, 0.28905111706986353],
        [1.0311261521613793, 1.2901186730825938],
        [2.6900279731488426, 0.41623136748068323],
    ]
    np.testing.assert_allclose(mixture.means_, means, atol=1e-6)
    assert mixture.n_iter_ == 10
    assert not mixture.converged_


@pytest.mark.parametrize("shape", [(20, 30), (5, 10, 12)])
@pytest.mark.parametrize("smoothing", [0.0, 1.5])
def test_equals_the_formulas(shape: tuple[int, ...], smoothing: float) -> None:
    grid = np.random.default_rng(0).random(shape) < 0.8
    samples = waves()[: grid.sum()]
    means = np.array([[0.0, 0], [1, 1], [2, 0]])
    mixture = SpatiallyVaryingMixture(
        3, tol=0, max_iter=6, smoothing=smoothing, **start(means, 2)
    ).fit(samples, grid=grid)
    weights, found, likelihoods = published(samples, means, 6, smoothing, grid)
    np.testing.assert_allclose(mixture.weights_, weights, atol=1e-9)
    np.testing.assert_allclose(mixture.means_, found, atol=1e-9)
    np.testing.assert_allclose(mixture.lower_bounds_, likelihoods, atol=1e-9)
    np.testing.assert_array_equal(mixture.predict(), weights.argmax(axis=1))


def test_weights_belong_to_the_last_likelihood() -> None:
    """Stopping does not leave the weights one step ahead of the parameters."""
    samples, means = waves(), [[0, 0], [1, 1], [2, 0]]
    stopped = SpatiallyVaryingMixture(3, tol=1e-2, **start(means, 2)).fit(samples)
    assert stopped.converged_
    counted = SpatiallyVaryingMixture(3, tol=0, max_iter=stopped.n_iter_, **start(means, 2)).fit(
        samples
    )
    np.testing.assert_array_equal(stopped.weights_, counted.weights_)
    np.testing.assert_array_equal(stopped.means_, counted.means_)


def test_many_float32_samples_equal_the_formulas() -> None:
    samples = np.tile(waves(), (70, 1)).astype(np.float32)
    means = np.array([[0.0, 0], [1, 1], [2, 0]])
    mixture = SpatiallyVaryingMixture(3, tol=0, max_iter=5, **start(means, 2)).fit(samples)
    weights, found, likelihoods = published(samples.astype(np.float64), means, 5)
    assert mixture.weights_.dtype == np.float32
    np.testing.assert_allclose(mixture.weights_, weights, atol=1e-4)
    np.testing.assert_allclose(mixture.means_, found, atol=1e-5)
    np.testing.assert_allclose(mixture.lower_bounds_, likelihoods, atol=1e-5)


def test_smoothing_makes_labels_smoother() -> None:
    truth = np.zeros((40, 40), np.int64)
    truth[10:30, 15:35] = 1
    noisy = truth + np.random.default_rng(0).normal(size=truth.shape) * 0.6
    rough, smooth = (
        SpatiallyVaryingMixture(2, means_init=[[0.0], [1.0]], max_iter=20, smoothing=strength)
        .fit_predict(noisy.reshape(-1, 1), grid=np.ones(truth.shape, bool))
        .reshape(truth.shape)
        for strength in (0.0, 3.0)
    )
    assert changes(smooth) < changes(rough) / 2
    assert (smooth == truth).mean() > (rough == truth).mean()


def changes(labels: NDArray[np.int64]) -> int:
    return int((np.diff(labels, axis=0) != 0).sum() + (np.diff(labels, axis=1) != 0).sum())


@settings(max_examples=150)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.integers(1, 3),
    st.integers(1, 5),
    st.sampled_from(["kmeans", "random"]),
    st.booleans(),
)
def test_likelihood_never_falls_and_nothing_is_nan(
    seed: int, count: int, channels: int, components: int, init: str, rounded: bool
) -> None:
    generator = np.random.default_rng(seed)
    samples = generator.normal(size=(count, channels))
    if rounded:
        samples = np.round(samples)
    samples *= 10.0 ** generator.integers(-15, 16, channels)
    mixture = SpatiallyVaryingMixture(
        min(components, count), init=init, tol=0, max_iter=15, seed=seed
    ).fit(samples)
    bounds = np.array(mixture.lower_bounds_)
    assert np.isfinite(bounds).all()
    assert (np.diff(bounds) >= -1e-7 * np.maximum(1, np.abs(bounds[1:]))).all()
    assert np.isfinite(mixture.means_).all()
    np.testing.assert_allclose(mixture.weights_.sum(axis=1), 1)


def test_weights_of_each_sample_say_where_to_start() -> None:
    truth = np.arange(60) % 2
    samples = truth[:, None] * 5.0 + np.linspace(0, 1, 60)[:, None]
    mixture = SpatiallyVaryingMixture(2, weights_init=np.eye(2)[truth]).fit(samples)
    np.testing.assert_array_equal(mixture.predict(), truth)
    np.testing.assert_allclose(mixture.means_[0], samples[truth == 0].mean(axis=0))


@pytest.mark.parametrize("init", ["kmeans", "random"])
def test_same_seed_same_result(init: str) -> None:
    state = torch.random.get_rng_state()
    first, second = (SpatiallyVaryingMixture(3, init=init, seed=5).fit(waves()) for _ in range(2))
    np.testing.assert_array_equal(first.weights_, second.weights_)
    assert torch.equal(state, torch.random.get_rng_state())


def test_classes_of_a_pipeline_are_not_used() -> None:
    truth = np.arange(600) % 3
    alone = SpatiallyVaryingMixture(3).fit(waves())
    beside = SpatiallyVaryingMixture(3).fit(waves(), truth)
    np.testing.assert_array_equal(beside.weights_, alone.weights_)
    labels = SpatiallyVaryingMixture(3).fit_predict(waves(), truth)
    np.testing.assert_array_equal(labels, alone.predict())


def test_means_far_from_the_samples_do_not_round_alike() -> None:
    samples = np.random.default_rng(0).normal(size=(60_000, 2)).astype(np.float32)
    options = start([[1e5, 0.0], [1e5, 1.0]], 2)
    expected = SpatiallyVaryingMixture(2, max_iter=1, **options).fit(samples.astype(np.float64))
    mixture = SpatiallyVaryingMixture(2, max_iter=1, **options).fit(samples)
    assert expected.means_[1, 1] - expected.means_[0, 1] > 0.5
    np.testing.assert_allclose(mixture.means_, expected.means_, atol=1e-5)
