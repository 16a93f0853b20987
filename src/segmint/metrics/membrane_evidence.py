"""What one slice of a membrane segmentation contributes to the scores of ISBI 2012."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.cell_overlap import TruthCells
from segmint.metrics.foreground_information import information_parts
from segmint.metrics.foreground_rand import rand_parts, rand_sums
from segmint.metrics.interiors import Interiors
from segmint.metrics.pixel_error import pixel_sums
from segmint.metrics.warping_error import warping_sums

THRESHOLDS = np.arange(10) / 10
"""Of the probability of being inside of a cell, 0 to 0.9, as the challenge's own script has them;
at 1, which it looks at too, nothing is left."""

SliceEvidence: TypeAlias = dict[str, NDArray[Any]]
"""``v_rand``, ``v_info`` (1,); ``rand``, ``pixel`` (1, 3) and ``warping`` (2,) as sums; of
thresholds also ``v_rand_at``, ``v_info_at`` (T,), ``rand_at`` and ``pixel_at`` (T, 3)."""


def slice_evidence(pair: Interiors, probability: NDArray[np.floating] | None) -> SliceEvidence:
    """Score one slice, at its labels and at every threshold of a probability.

    Args:
        pair: prediction, truth and the pixels that count.
        probability: (H, W) of being inside of a cell, or None.
    """
    cells = TruthCells(pair.truth, pair.counted)
    scores = _at_labels(cells, pair)
    scores["warping"] = warping_sums(pair)
    if probability is not None:
        scores |= _at_thresholds(cells, pair, probability)
    return scores


def _at_labels(cells: TruthCells, pair: Interiors) -> SliceEvidence:
    as_given, thinned = cells.overlaps(pair.found)
    return {
        "v_rand": np.array([rand_parts(rand_sums(thinned)).f_score]),
        "v_info": np.array([information_parts(thinned).f_score]),
        "rand": rand_sums(as_given)[None],
        "pixel": pixel_sums(pair)[None],
    }


def _at_thresholds(
    cells: TruthCells, pair: Interiors, probability: NDArray[np.floating]
) -> SliceEvidence:
    scores: list[SliceEvidence] = []
    before: NDArray[np.bool_] | None = None
    for threshold in THRESHOLDS:
        found = probability > threshold
        if before is not None and np.array_equal(found, before):
            scores.append(scores[-1])
            continue
        before = found
        scores.append(
            _at_labels(cells, Interiors(found=found, truth=pair.truth, counted=pair.counted))
        )
    return {f"{name}_at": np.concatenate([each[name] for each in scores]) for name in scores[0]}
