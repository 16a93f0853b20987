"""Regions with their statistics and shared boundaries, and what happens to both when regions join.

Everything is a sum over pixels or over boundary sides, so joining regions is adding rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from segmint.regions.adjacency import region_adjacency
from segmint.regions.cues import CHANNEL_SIZES, Channel

Floats = NDArray[np.float64]

NOISE_FLOORS = np.array([0.1, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0, 0, 0])
"""Added to the features before their logarithm is taken; smaller differences are noise."""


@dataclass(frozen=True, eq=False)
class RegionGraph:
    """R regions, P touching pairs of them."""

    areas: Floats
    """(R,) pixels."""
    perimeters: Floats
    """(R,) pixel sides."""
    histograms: Floats
    """(R, bins) sums of all channels one after the other."""
    members: NDArray[np.intp]
    """(leaves,) the region that each leaf is in now."""
    pairs: NDArray[np.intp]
    """(P, 2) touching regions."""
    lengths: Floats
    """(P,) shared pixel sides."""
    boundary_sums: Floats
    """(P, 2) sums over the shared sides of the boundary strength and of the color step."""

    def joined(self, target: NDArray[np.intp]) -> RegionGraph:
        """The graph after regions have been joined.

        Args:
            target: (R,) new number of each region, from 0 without gaps.
        """
        count = int(target.max()) + 1
        areas, perimeters, histograms = grouped(
            target, count, self.areas, self.perimeters, self.histograms
        )

        ends = target[self.pairs]
        inside = ends[:, 0] == ends[:, 1]
        perimeters -= 2 * np.bincount(ends[inside, 0], self.lengths[inside], minlength=count)
        keys = ends[~inside].min(axis=1) * count + ends[~inside].max(axis=1)
        unique, pair = np.unique(keys, return_inverse=True)
        lengths, boundary_sums = grouped(
            pair, len(unique), self.lengths[~inside], self.boundary_sums[~inside]
        )
        return RegionGraph(
            areas=areas,
            perimeters=perimeters,
            histograms=histograms,
            members=target[self.members],
            pairs=np.stack(np.divmod(unique, count), axis=1),
            lengths=lengths,
            boundary_sums=boundary_sums,
        )


def grouped(group: NDArray[np.intp], count: int, *values: Floats) -> list[Floats]:
    """Sums of the rows of each array over groups of rows."""
    size = len(group)
    adder = coo_array((np.ones(size), (group, np.arange(size))), shape=(count, size)).tocsr()
    return [np.asarray(adder @ rows) for rows in values]


def region_graph(
    leaves: NDArray[np.int32],
    channels: Sequence[Channel],
    strength: NDArray[np.float32],
    lab: NDArray[np.float32],
) -> RegionGraph:
    """Measure leaves and the boundaries between them.

    Args:
        leaves: (H, W), -1 outside.
        channels: (bins, H, W) each.
        strength: (H, W) boundary strength.
        lab: (H, W, 3).
    """
    inside = leaves.ravel() >= 0
    region = leaves.ravel()[inside]
    count = int(region.max()) + 1
    planes = [plane for channel in channels for plane in channel]
    histograms = [np.bincount(region, plane.ravel()[inside], minlength=count) for plane in planes]

    graph = region_adjacency(leaves)
    first, second = graph.side_pixels
    colors = lab.reshape(-1, 3)
    sides = [
        0.5 * (strength.ravel()[first] + strength.ravel()[second]),
        np.linalg.norm(colors[first] - colors[second], axis=1),
    ]
    return RegionGraph(
        areas=np.bincount(region, minlength=count).astype(np.float64),
        perimeters=graph.perimeters,
        histograms=np.stack(histograms, axis=1),
        members=np.arange(count),
        pairs=graph.pairs,
        lengths=graph.lengths,
        boundary_sums=np.stack([graph.boundary_sums(side) for side in sides], axis=1),
    )


def pair_features(graph: RegionGraph) -> Floats:
    """What tells whether two touching regions belong together, (P, 10), all as logarithms.

    In order: the mean boundary strength and the mean color step (Lab distance of neighboring
    pixels) along the shared boundary; the chi distances between the histograms of lightness,
    green-red, blue-yellow and texture, and the largest of the four, since one cue that differs is
    enough; the smaller and the larger area as shares of all; the part
    of a perimeter that is shared, the larger of both.
    """
    first, second = graph.pairs.T
    means = graph.boundary_sums / graph.lengths[:, None]
    shares = graph.histograms / graph.areas[:, None]
    distances = histogram_distances(shares[first], shares[second])
    areas = np.sort(graph.areas[graph.pairs], axis=1) / graph.areas.sum()
    shared = graph.lengths / graph.perimeters[graph.pairs].min(axis=1)
    features: Floats = np.column_stack([means, distances, areas, shared])
    logarithms: Floats = np.log(features + NOISE_FLOORS)
    return logarithms


def histogram_distances(first: Floats, second: Floats) -> Floats:
    """Chi distances of lightness, green-red, blue-yellow and texture, and the largest, (N, 5).

    Args:
        first: (N, bins) shares, which sum to one in each channel.
        second: (N, bins) or (bins,) others.
    """
    terms = (first - second) ** 2 / (first + second + 1e-6)
    starts = np.concatenate([[0], np.cumsum(CHANNEL_SIZES)[:-1]])
    distances = np.sqrt(0.5 * np.add.reduceat(terms, starts, axis=1))
    return np.column_stack([distances, distances.max(axis=1)])
