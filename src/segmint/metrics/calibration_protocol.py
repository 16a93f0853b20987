"""The protocol ``calibration``: what the probabilities of a network are worth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.calibration import (
    BINS,
    LEAST_PROBABILITY,
    Calibration,
    calibration,
    nothing_counted,
)
from segmint.metrics.evaluation import ScoreRow
from segmint.metrics.protocol import Case, Protocol, ScoreKind

NO_PROBABILITIES = (
    "there are no probabilities beside the labels: 'segmint predict RUN IMAGE --probabilities' "
    "writes them, and so do mixtures without --skip-maps"
)
"""Why a case does not fit, which files tell before they are read."""


def _unfit(case: Case) -> str:
    if case.probabilities is None:
        return NO_PROBABILITIES
    if len(case.masks) != 1:
        return (
            f"{len(case.masks)} annotators drew segments without classes, and calibration is of "
            "classes: leave it out"
        )
    return ""


def _measure(case: Case) -> Calibration:
    assert case.probabilities is not None
    (mask,) = case.masks
    # Outside the region nothing was asked of the network.
    inside = case.labels >= 0
    return calibration(
        case.probabilities,
        mask if inside.all() else _outside_ignored(mask, inside),
        ignore_index=case.ignore_index,
        name=case.name,
    )


def _outside_ignored(mask: NDArray[np.integer], inside: NDArray[np.bool_]) -> NDArray[np.integer]:
    return np.where(inside, mask.astype(np.int64), np.int64(-1))


def _rows(images: Sequence[Calibration]) -> list[ScoreRow]:
    total = sum(images, start=nothing_counted(BINS))
    pixels = f"{total.total} pixels of {len(images)} image{'' if len(images) == 1 else 's'}"
    bins = f"{total.pixels.size} bins of equal width, confidence is the greatest probability"
    gap = "confidence less accuracy"
    return [
        ScoreRow(
            name="expected_calibration_error",
            value=total.expected_error,
            protocol=f"{gap}, {bins}, weighted by pixels, over {pixels}",
        ),
        ScoreRow(
            name="maximum_calibration_error",
            value=total.maximum_error,
            protocol=f"greatest {gap} of {bins}, over {pixels}",
        ),
        ScoreRow(
            name="brier",
            value=total.brier,
            protocol=f"squared error of probabilities, sum over classes, mean over {pixels}",
        ),
        ScoreRow(
            name="negative_log_likelihood",
            value=total.negative_log_likelihood,
            protocol=f"of the true class in nats (at most {-math.log(LEAST_PROBABILITY):.1f}), "
            f"mean over {pixels}",
        ),
    ]


def _kind(name: str, title: str) -> ScoreKind:
    return ScoreKind(name=name, title=title, better="lower", perfect=0.0)


PROTOCOL = Protocol(
    summary=f"calibration of probabilities in {BINS} bins (Naeini et al. 2015, Guo et al. 2017)",
    scores=(
        _kind("expected_calibration_error", "expected calibration error"),
        _kind("maximum_calibration_error", "maximum calibration error"),
        _kind("brier", "Brier score"),
        _kind("negative_log_likelihood", "negative log-likelihood"),
    ),
    measure=_measure,
    rows=_rows,
    unfit=_unfit,
    looks_at="probabilities",
)
