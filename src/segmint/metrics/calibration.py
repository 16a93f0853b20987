"""Whether probabilities mean what they say: calibration error, Brier score, likelihood.

Pixels are sorted into bins by their confidence, the probability of the class that is most likely.
In a calibrated bin that confidence is the share of pixels whose class is right.

Sources: Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
Binning", AAAI 2015 (expected and maximum calibration error); Guo, Pleiss, Sun, Weinberger, "On
Calibration of Modern Neural Networks", ICML 2017, equations (3) and (5), for several classes;
Brier, "Verification of Forecasts Expressed in Terms of Probability", Monthly Weather Review 78,
1950 (the sum over classes).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import InputError
from segmint.metrics.contingency import IGNORE_INDEX, integer_array, size_text
from segmint.metrics.values import share_array, whole_number

BINS = 15
"""Of equal width, as Guo et al. have them."""

LEAST_PROBABILITY = float(np.finfo(np.float32).eps)
"""What a probability of less counts as in the likelihood, so that no pixel weighs infinitely."""

_CHUNK = 1 << 14
"""Pixels that are looked at together: what is computed on the way stays in the processor's cache,
and takes a few MiB for 21 classes, however large the image."""

_SUM_ERROR = 1e-2
_MOST_BINS = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """Counts by confidence; those of several images add up."""

    pixels: NDArray[np.int64]
    """(B,) in each bin; the first holds confidences up to 1 / B, the last those up to 1."""
    hits: NDArray[np.int64]
    """(B,) of them, whose class is right."""
    confidence: NDArray[np.float64]
    """(B,) sum of their confidence."""
    squared_error: float
    """Sum over pixels and classes of (probability - truth) squared."""
    surprise: float
    """Sum over pixels of the negative logarithm of the probability of the true class, in nats."""

    @property
    def total(self) -> int:
        """Pixels that are counted."""
        return int(self.pixels.sum())

    @property
    def expected_error(self) -> float:
        """Mean over pixels of how far the confidence of their bin is from its accuracy, 0 to 1."""
        gaps = np.abs(self.hits - self.confidence)
        return float(gaps.sum() / self.total) if self.total else math.nan

    @property
    def maximum_error(self) -> float:
        """The same of the bin where it is greatest."""
        filled = self.pixels > 0
        gaps = np.abs(self.hits - self.confidence)[filled] / self.pixels[filled]
        return float(gaps.max()) if gaps.size else math.nan

    @property
    def brier(self) -> float:
        """Mean over pixels of the squared error, summed over classes, 0 to 2."""
        return self.squared_error / self.total if self.total else math.nan

    @property
    def negative_log_likelihood(self) -> float:
        """Mean over pixels in nats, 0 or more."""
        return self.surprise / self.total if self.total else math.nan

    def __add__(self, other: Calibration) -> Calibration:
        return Calibration(
            pixels=self.pixels + other.pixels,
            hits=self.hits + other.hits,
            confidence=self.confidence + other.confidence,
            squared_error=self.squared_error + other.squared_error,
            surprise=self.surprise + other.surprise,
        )


def calibration(
    probabilities: ArrayLike,
    mask: ArrayLike,
    *,
    bins: int = BINS,
    ignore_index: int | None = IGNORE_INDEX,
    name: str = "",
) -> Calibration:
    """Count pixels by their confidence.

    Args:
        probabilities: (K, H, W) or (K, D, H, W) floats, of each class in each pixel; they sum to
            1 where the mask counts.
        mask: integers of the shape without K, the true class, 0 to K - 1; negative values are not
            counted.
        bins: number of bins of equal width, 1 to 10000.
        ignore_index: class of the mask that is not counted, or None.
        name: the image or file, for messages.

    Returns:
        The counts, with the scores that follow from them.

    Raises:
        InputError: for arrays that do not fit, probabilities that are none, or a class of the mask
            beyond K.
        UsageError: for another number of bins.

    Example:
        >>> found = calibration([[[0.8, 0.8, 0.8, 0.8, 0.8]], [[0.2] * 5]], [[0, 0, 0, 0, 1]])
        >>> round(found.expected_error, 6)  # four of five are right, as sure as said
        0.0
        >>> round(found.brier, 6)
        0.32
    """
    bins = whole_number(bins, "bins", 1, _MOST_BINS)
    of = f" of {name}" if name else ""
    truth = integer_array(mask, f"mask{of}")
    shares = _checked(probabilities, truth, of)
    total = nothing_counted(bins)
    for given, classes in _chunks(shares, truth.ravel(), ignore_index):
        total += _counted(given, classes, bins, of)
    return total


def _chunks(
    shares: NDArray[np.floating], truth: NDArray[np.integer], ignore_index: int | None
) -> Iterator[tuple[NDArray[np.floating], NDArray[np.integer]]]:
    """Probabilities (K, n) and classes (n,) of pixels that count."""
    flat = shares.reshape(len(shares), -1)
    for start in range(0, truth.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        classes, given = truth[part], flat[:, part]
        counts = classes >= 0
        if ignore_index is not None:
            counts &= classes != ignore_index
        if counts.all():
            yield given, classes
        elif counts.any():
            yield given[:, counts], classes[counts]


def _counted(
    given: NDArray[np.floating], classes: NDArray[np.integer], bins: int, of: str
) -> Calibration:
    """What pixels contribute that all count."""
    _check_values(given, classes, of)
    confidence = given.max(axis=0)
    right = given.argmax(axis=0) == classes
    true = np.take_along_axis(given, classes[np.newaxis].astype(np.intp), axis=0)[0]
    place = np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)
    squares = np.einsum("kn,kn->n", given, given).sum(dtype=np.float64)
    logarithms = np.log(np.clip(true, LEAST_PROBABILITY, 1))
    return Calibration(
        pixels=np.bincount(place, minlength=bins),
        hits=np.bincount(place[right], minlength=bins),
        confidence=np.bincount(place, weights=confidence, minlength=bins).astype(np.float64),
        squared_error=float(squares - 2 * true.sum(dtype=np.float64) + classes.size),
        surprise=-float(logarithms.sum(dtype=np.float64)),
    )


def nothing_counted(bins: int) -> Calibration:
    """The counts of no pixel."""
    return Calibration(
        pixels=np.zeros(bins, np.int64),
        hits=np.zeros(bins, np.int64),
        confidence=np.zeros(bins),
        squared_error=0.0,
        surprise=0.0,
    )


def _checked(probabilities: ArrayLike, truth: NDArray[np.integer], of: str) -> NDArray[np.floating]:
    shares = share_array(probabilities, f"the probabilities{of}")
    if shares.shape[1:] != truth.shape or not shares.size:
        raise InputError(
            f"the probabilities{of} are {size_text(shares)} and the mask is {size_text(truth)}, "
            "accepted is one value for each class and pixel, K x H x W: give those of this mask"
        )
    return shares


def _check_values(given: NDArray[np.floating], classes: NDArray[np.integer], of: str) -> None:
    """Refuse what is no distribution over classes, and classes it knows nothing of."""
    if int(classes.max()) >= len(given):
        raise InputError(
            f"the mask{of} holds class {int(classes.max())} and the probabilities are of the "
            f"classes 0 to {len(given) - 1}: give a mask of the same classes, or the value that is "
            "not counted"
        )
    # Comparisons with NaN are false, so that they are refused, too.
    sums = given.sum(axis=0)
    right = (given.min(axis=0) >= -_SUM_ERROR) & (np.abs(sums - 1) <= _SUM_ERROR)
    if not right.all():
        worst = given[:, np.flatnonzero(~right)[0]]
        shown = ", ".join(f"{value:g}" for value in worst[:4]) + (", ..." if len(worst) > 4 else "")
        raise InputError(
            f"the probabilities{of} hold {shown} in a pixel that counts, accepted are numbers from "
            "0 to 1 with a sum of 1: give what a softmax made, or leave such pixels out"
        )
