"""Whether two rows of a comparison differ: paired tests, and what many tests at once cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError

LEAST_SEEDS = 2
"""Pairs without which no t-test can be made."""

LEAST_IMAGES = 6
"""Pairs without which the signed-rank test cannot fall below 0.05: 5 give 0.0625 at best."""

_DECIMALS = 12
"""Differences that are closer than this are equal; computed scores differ by rounding."""


def paired_t_test(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Two-sided p value of Student's paired t-test.

    With few pairs it finds only differences that are large beside their spread: of 3 pairs the
    mean must be 2.5 times the standard deviation for p = 0.05.

    Args:
        first: scores of a row, one a seed.
        second: those of another row with the same seeds, in the same order.

    Returns:
        0 to 1, or None with fewer than two pairs or where all differences are equal.

    Raises:
        InputError: for scores that are not paired or not finite.

    Example:
        >>> round(paired_t_test([0.62, 0.64, 0.63], [0.60, 0.61, 0.59]), 3)
        0.035
    """
    from scipy import stats

    differences = _differences(first, second)
    if len(differences) < LEAST_SEEDS or not np.ptp(differences):
        return None
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def signed_rank_test(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Two-sided p value of Wilcoxon's signed-rank test; equal pairs are left out.

    Args:
        first: scores of a row, one an image.
        second: those of another row of the same images, in the same order.

    Returns:
        0 to 1, or None with fewer than six pairs or where no pair differs.

    Raises:
        InputError: for scores that are not paired or not finite.

    Example:
        >>> signed_rank_test([1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0])
        0.03125
    """
    from scipy import stats

    differences = _differences(first, second)
    if len(differences) < LEAST_IMAGES or not differences.any():
        return None
    return float(stats.wilcoxon(differences).pvalue)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """P values that hold for all of them at once.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979): the chance that any true null hypothesis is rejected stays below the
    level, whatever the tests have in common.

    Args:
        p_values: of one family, 0 to 1; None, which no test gave, is not counted.

    Returns:
        As many, in the same order, none smaller than before.

    Example:
        >>> holm([0.04, None, 0.01])
        [0.04, None, 0.02]
    """
    known = sorted((value, index) for index, value in enumerate(p_values) if value is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (value, index) in enumerate(known):
        least = max(least, min((len(known) - rank) * value, 1.0))
        adjusted[index] = least
    return adjusted


def _differences(first: Sequence[float], second: Sequence[float]) -> NDArray[np.float64]:
    if len(first) != len(second):
        raise InputError(
            f"scores to be paired are {len(first)} and {len(second)}, accepted is the same number: "
            "give those of the same seeds or images"
        )
    found = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    if not np.isfinite(found).all():
        raise InputError("a score to be paired is not finite: leave its pair out")
    return np.round(found, _DECIMALS)
