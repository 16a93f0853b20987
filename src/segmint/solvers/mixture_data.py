"""What every mixture starts from, and what its fit becomes.

From pixels, a region and options to normalized values, the number of components and known means;
from weights, means and variances to components in a stable order with names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from segmint.errors import InputError, UsageError
from segmint.images.class_means import ClassMeans, read_class_means
from segmint.images.normalization import ChannelMap, channel_map
from segmint.methods.method import Outcome, Task
from segmint.methods.mixture_options import DEFAULT_COMPONENTS, MixtureOptions
from segmint.methods.mixture_table import MixtureTable

BY_FIRST_CHANNEL = "by the mean of the first channel, least first"
AS_IN_MU_DATA = "as the classes in mu_data"

_UNITS = {
    "none": "values as stored",
    "z-score": "z-scores inside the region",
    "percentile": "1st to 99th percentile inside the region as 0 to 1",
    "min-max": "least to greatest value inside the region as 0 to 1",
}

Values = NDArray[Any]
Region = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """A fitted mixture, however it was fitted."""

    weights: NDArray[np.float64]
    """(K,) that sum to 1."""
    means: NDArray[np.float64]
    """(K, C) in normalized units."""
    variances: NDArray[np.float64]
    """(K, C)"""


@dataclass(frozen=True, kw_only=True, eq=False)
class MixtureData:
    """An image as mixtures see it: values inside a region, and what is known about them."""

    pixels: Values
    """(H, W, C) or (D, H, W, C), as stored."""
    region: Region | None
    """Where to look; None is everywhere."""
    normalization: str
    known: ClassMeans | None
    """Known means, one column a channel in the image's order."""
    channels: tuple[str, ...]
    options: MixtureOptions

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the labels."""
        return self.pixels.shape[:-1]

    def inside(self) -> Values:
        """(N, C) stored values inside the region, in reading order."""
        if self.region is None:
            return self.pixels.reshape(-1, self.pixels.shape[-1])
        return np.asarray(self.pixels[self.region])

    def whole_region(self) -> Region:
        """The region, written out where it is everywhere."""
        return np.ones(self.shape, bool) if self.region is None else self.region

    def map_of(self, values: Values, counts: NDArray[np.int64] | None = None) -> ChannelMap:
        """The normalization that these values ask for."""
        return channel_map(values, self.normalization, counts)

    def normalized(self) -> NDArray[np.float32]:
        """(..., C), 0 outside the region."""
        mapping = self.map_of(self.inside())
        if self.region is None:
            return mapping(self.pixels)
        # Outside, values may be anything, also nothing that arithmetic could take.
        inside = self.region[..., np.newaxis]
        return np.where(inside, mapping(np.where(inside, self.pixels, 0)), np.float32(0))

    def placed(self, values: Values, outside: float) -> Values:
        """(N, ...) values of the region's pixels where they belong, (H, W, ...)."""
        if self.region is None:
            return values.reshape(*self.shape, *values.shape[1:])
        whole = np.full((*self.shape, *values.shape[1:]), outside, values.dtype)
        whole[self.region] = values
        return whole

    def number_of_components(self, distinct: int) -> int | None:
        """How many components to fit; None when the criterion decides.

        Args:
            distinct: pixels, or colors, inside the region.

        Raises:
            InputError: when there are fewer of those than components.
        """
        asked = self.options.components
        if asked == "auto":
            return None
        if self.known is not None:
            wanted = len(self.known.names)
        elif asked is None:
            wanted = min(DEFAULT_COMPONENTS, distinct)
        else:
            wanted = int(asked)
        if wanted > distinct:
            cure = "ask for fewer with --components"
            if self.known is not None:
                cure = "give fewer classes by --mu-data"
            raise InputError(
                f"{wanted} components are asked for, but there are only {distinct} pixels or "
                f"distinct colors to fit them to: {cure}, or widen the region"
            )
        return wanted

    def range_of_components(self, distinct: int) -> tuple[int, int]:
        """The least and the greatest number that the criterion may choose."""
        high = min(self.options.max_components, distinct)
        return min(self.options.min_components, high), high

    def known_means(self) -> NDArray[np.float64] | None:
        """(K, C) where means are known."""
        return None if self.known is None else self.known.means

    def names(self) -> dict[int, str]:
        """Names of the components, where they are known classes."""
        return {} if self.known is None else dict(enumerate(self.known.names))

    def order_of(self, mixture: Mixture) -> NDArray[np.int64]:
        """The component that gets each number."""
        if self.known is not None:
            return np.arange(len(mixture.means))
        return np.lexsort(mixture.means.T[::-1])

    def matched(self, mixture: Mixture) -> NDArray[np.int64]:
        """As :meth:`order_of`, where nothing drew the components to the known means."""
        if self.known is None:
            return self.order_of(mixture)
        distances = ((self.known.means[:, np.newaxis] - mixture.means) ** 2).sum(axis=2)
        return np.asarray(linear_sum_assignment(distances)[1])

    def outcome(
        self,
        mixture: Mixture,
        labels: NDArray[np.integer[Any]],
        probabilities: Callable[[], NDArray[np.float32]],
        *,
        history: tuple[dict[str, float], ...],
        notes: tuple[str, ...],
    ) -> Outcome:
        """The outcome of a fit whose components are in order already.

        Args:
            mixture: what was fitted.
            labels: (H, W) or (D, H, W), -1 outside the region.
            probabilities: computes (K, H, W) or (K, D, H, W).
            history: one row an iteration.
            notes: what was decided on the way.
        """
        counts = np.bincount(labels[labels >= 0].ravel(), minlength=len(mixture.weights))
        return Outcome(
            labels=labels.astype(np.int32, copy=False),
            probabilities=probabilities,
            history=history,
            notes=(*notes, *self.absent(counts)),
            order=self.order,
            names=self.names(),
            mixture=self.table(mixture),
            maps=not self.options.skip_maps,
        )

    @property
    def order(self) -> str:
        """What the components are ordered by."""
        return BY_FIRST_CHANNEL if self.known is None else AS_IN_MU_DATA

    def table(self, mixture: Mixture) -> MixtureTable:
        """The mixture with the names and units of its components."""
        return MixtureTable(
            weights=mixture.weights,
            means=mixture.means,
            variances=mixture.variances,
            channels=self.channels,
            names=self.names(),
            units=_UNITS[self.normalization],
        )

    def absent(self, counts: NDArray[np.integer[Any]]) -> tuple[str, ...]:
        """A note on components that no pixel belongs to, by the pixels (K,) of each."""
        names = self.names()
        absent = [names.get(index, str(index)) for index in np.flatnonzero(counts == 0).tolist()]
        if not absent:
            return ()
        return (f"no pixel belongs most likely to component {', '.join(absent)}",)


def mixture_data(pixels: Values, options: MixtureOptions, task: Task) -> MixtureData:
    """What the options make of an image.

    Raises:
        InputError: for a file of known means that does not fit the image.
        UsageError: for a number of components other than that of the known means.
    """
    image = task.image
    channels = () if image is None else image.channel_names
    normalization = options.normalization
    if normalization == "auto":
        # Prepared files hold normalized values, and the known means are in those units.
        prepared = image is not None and image.region is not None
        normalization = "none" if prepared else "z-score"
    return MixtureData(
        pixels=pixels,
        region=task.region,
        normalization=normalization,
        known=_known(options, pixels.shape[-1], channels),
        channels=channels,
        options=options,
    )


def reordered(mixture: Mixture, order: NDArray[np.int64]) -> Mixture:
    """The same mixture with its components in another order."""
    return Mixture(
        weights=mixture.weights[order],
        means=mixture.means[order],
        variances=mixture.variances[order],
    )


def _known(options: MixtureOptions, channels: int, names: tuple[str, ...]) -> ClassMeans | None:
    if options.mu_data is None:
        return None
    known = _aligned(read_class_means(options.mu_data), channels, names, options.mu_data)
    if options.components not in (None, len(known.names)):
        raise UsageError(
            f"--components is {options.components}, but {options.mu_data} has "
            f"{len(known.names)} classes: leave --components out"
        )
    return known


def _aligned(known: ClassMeans, channels: int, names: tuple[str, ...], path: str) -> ClassMeans:
    """The means with their columns in the order of the image's channels.

    Raises:
        InputError: when there are more or fewer, or of other names.
    """
    columns_given = known.means.shape[1]
    if columns_given != channels:
        raise InputError(
            f"{path} has means of {columns_given} channels and the image has {channels}: "
            "give one column a channel"
        )
    if not names or not known.channels:
        return known
    if set(names) != set(known.channels):
        raise InputError(
            f"{path} has means of {', '.join(known.channels)} and the image has the channels "
            f"{', '.join(names)}: name them alike"
        )
    columns = [known.channels.index(name) for name in names]
    return replace(known, channels=names, means=known.means[:, columns])
