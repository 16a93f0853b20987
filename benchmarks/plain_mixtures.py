"""The mixture with varying weights as its formulas are written, in NumPy: twice, loops and arrays.

E-step ``gamma <- gamma N / sum gamma N``; M-step ``mu = sum gamma x / sum gamma`` and
``var = sum gamma (x - mu)^2 / sum gamma``; then the negative log-likelihood with all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass
class Fitted:
    """Where the iterations ended."""

    weights: Array
    means: Array
    variances: Array
    likelihoods: list[float]


def fit_by_loops(
    samples: Array, means: Array, iterations: int, *, keep_densities: bool = False
) -> Fitted:
    """Loops over components and channels, densities multiplied as published.

    Args:
        samples: (N, M).
        means: (K, M) to start from, with variances of 1 and even weights.
        iterations: how many.
        keep_densities: use those of the likelihood in the next E-step; the published code computes
            them anew.
    """
    count, components = len(samples), len(means)
    means, variances = means.copy(), np.ones_like(means)
    weights = np.full((count, components), 1 / components, samples.dtype)
    likelihoods = []
    densities = None
    for _ in range(iterations):
        if densities is None or not keep_densities:
            densities = densities_by_loops(samples, means, variances)
        weights = weights * densities
        weights /= weights.sum(axis=1, keepdims=True)
        for k in range(components):
            mass = weights[:, k].sum()
            for m in range(samples.shape[1]):
                means[k, m] = (weights[:, k] * samples[:, m]).sum() / mass
                squares = (samples[:, m] - means[k, m]) ** 2
                variances[k, m] = (weights[:, k] * squares).sum() / mass
        densities = densities_by_loops(samples, means, variances)
        likelihoods.append(float(np.log((weights * densities).sum(axis=1)).mean()))
    return Fitted(weights, means, variances, likelihoods)


def densities_by_loops(samples: Array, means: Array, variances: Array) -> Array:
    """(N, K) products of the densities of the channels."""
    densities = np.ones((len(samples), len(means)), samples.dtype)
    for k in range(len(means)):
        for m in range(samples.shape[1]):
            distances = (samples[:, m] - means[k, m]) ** 2 / variances[k, m]
            densities[:, k] *= np.exp(-distances / 2) / np.sqrt(2 * np.pi * variances[k, m])
    return densities


def fit_by_arrays(samples: Array, means: Array, iterations: int) -> Fitted:
    """Matrix products instead of loops, and logarithms instead of densities."""
    count, components = len(samples), len(means)
    squares = samples**2
    means, variances = means.copy(), np.ones_like(means)
    logarithms = np.full((count, components), -np.log(components), samples.dtype)
    likelihoods = []
    joint = logarithms + log_densities(samples, squares, means, variances)
    for _ in range(iterations):
        highest = joint.max(axis=1, keepdims=True)
        weights = np.exp(joint - highest)
        total = weights.sum(axis=1, keepdims=True)
        weights /= total
        logarithms = joint - highest - np.log(total)
        mass = weights.sum(axis=0)[:, None]
        means = weights.T @ samples / mass
        variances = weights.T @ squares / mass - means**2
        joint = logarithms + log_densities(samples, squares, means, variances)
        highest = joint.max(axis=1)
        sums = np.exp(joint - highest[:, None]).sum(axis=1)
        likelihoods.append(float((highest + np.log(sums)).mean()))
    return Fitted(weights, means, variances, likelihoods)


def log_densities(samples: Array, squares: Array, means: Array, variances: Array) -> Array:
    """(N, K), expanded."""
    constant = (means**2 / variances + np.log(2 * np.pi * variances)).sum(axis=1)
    products = squares @ (1 / variances).T - 2 * (samples @ (means / variances).T)
    return np.asarray(-0.5 * (products + constant))
