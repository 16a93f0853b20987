"""Centers to start from: k-means++ and a few rounds of Lloyd on a sample of the samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SAMPLE = 20_000
"""Samples that the centers are found on."""
ROUNDS = 10


def draw(count: int, weights: Array | None, generator: np.random.Generator) -> NDArray[np.int64]:
    """Indices of :data:`SAMPLE` samples, one from each of as many equal parts of the weight."""
    places = (np.arange(SAMPLE) + generator.random(SAMPLE)) / SAMPLE
    if weights is None:
        return np.asarray(np.minimum((places * count).astype(np.int64), count - 1))
    cumulated = np.cumsum(weights)
    found = np.searchsorted(cumulated, places * cumulated[-1], side="right")
    return np.asarray(np.minimum(found, count - 1))


def cluster(
    points: Array, weights: Array, components: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Assign points to clusters.

    Args:
        points: (n, M).
        weights: (n,).
        components: K.
        generator: where chance comes from.

    Returns:
        (n,) the cluster of each point; a cluster may stay empty when points coincide.
    """
    centers = plus_plus(points, weights, components, generator)
    labels = nearest(points, centers)
    for _ in range(ROUNDS):
        mass = np.bincount(labels, weights, components)
        sums = [np.bincount(labels, weights * column, components) for column in points.T]
        filled = mass > 0
        centers[filled] = np.stack(sums, axis=1)[filled] / mass[filled, None]
        moved = nearest(points, centers)
        if np.array_equal(moved, labels):
            break
        labels = moved
    return labels


def plus_plus(
    points: Array, weights: Array, components: int, generator: np.random.Generator
) -> Array:
    """Far-apart centers (Arthur and Vassilvitskii 2007), each the best of a few candidates."""
    candidates = 2 + int(math.log(components))
    first = _draw_one(weights, generator, 1)
    centers = [points[first[0]]]
    distances = _squared_distances(points, points[first])[:, 0]
    while len(centers) < components:
        chosen = _draw_one(weights * distances, generator, candidates)
        trials = np.minimum(distances[:, None], _squared_distances(points, points[chosen]))
        best = int(np.argmin(weights @ trials))
        distances = trials[:, best]
        centers.append(points[chosen[best]])
    return np.array(centers)


def nearest(points: Array, centers: Array) -> NDArray[np.int64]:
    """(n,) the center nearest to each of (n, M) points."""
    return np.asarray(np.argmin((centers**2).sum(axis=1) - 2 * (points @ centers.T), axis=1))


def _draw_one(mass: Array, generator: np.random.Generator, count: int) -> NDArray[np.int64]:
    cumulated = np.cumsum(mass)
    places = generator.random(count) * cumulated[-1]
    found = np.searchsorted(cumulated, places, side="right")
    return np.asarray(np.minimum(found, len(mass) - 1))


def _squared_distances(points: Array, centers: Array) -> Array:
    """(n, c), from differences, because equal points must be at distance 0."""
    return np.asarray(
        sum((points[:, [channel]] - centers[:, channel]) ** 2 for channel in range(len(points.T)))
    )
