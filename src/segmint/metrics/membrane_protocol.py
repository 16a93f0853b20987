"""The protocol ``membranes``: how the ISBI 2012 challenge scores cells between membranes.

Arganda-Carreras et al., Frontiers in Neuroanatomy 9:142 (2015); warping: Jain et al., CVPR 2010.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.metrics.annotators import mean
from segmint.metrics.evaluation import ScoreRow
from segmint.metrics.foreground_rand import rand_parts
from segmint.metrics.interiors import Interiors
from segmint.metrics.membrane_evidence import THRESHOLDS, SliceEvidence, slice_evidence
from segmint.metrics.pixel_error import pixel_error_of
from segmint.metrics.protocol import Case, Protocol, ScoreKind

MembraneEvidence: TypeAlias = list[SliceEvidence]
"""The slices of one image or stack."""

_THINNED = "foreground-restricted, borders thinned"
_OF_RAND = "1 - F of the foreground-restricted Rand index, borders as they are"
_OF_PIXELS = "1 - F of pixels inside of cells"


def measure(case: Case) -> MembraneEvidence:
    """Score every slice.

    Raises:
        InputError: when there is no probability of cells.
    """
    return [slice_evidence(pair, probability) for pair, probability in _slices(case)]


def unfit(case: Case) -> str:
    """Why a case has no membranes to score."""
    if len(case.masks) != 1:
        return f"membranes are scored against one truth, and there are {len(case.masks)}"
    return ""


def rows(evidence: Sequence[MembraneEvidence]) -> list[ScoreRow]:
    """The scores of all slices of some images."""
    slices = [each for image in evidence for each in image]
    of = _counted(len(slices))
    found = [
        *_mean_rows("v_rand", f"V_rand, {_THINNED}", slices),
        *_mean_rows("v_info", f"V_info, {_THINNED}", slices),
        *_sum_rows("rand", _rand_error, _OF_RAND, slices, of),
        *_sum_rows("pixel", pixel_error_of, _OF_PIXELS, slices, of),
    ]
    wrong, total = _sums([each["warping"] for each in slices], 2)
    words = "share of pixels that differ from the truth warped by simple points"
    found.append(
        ScoreRow(
            name="warping_error",
            value=float(wrong / total) if total else float("nan"),
            protocol=f"{words}, over {of}",
        )
    )
    return found


def _mean_rows(name: str, words: str, slices: Sequence[SliceEvidence]) -> Iterator[ScoreRow]:
    """Means over slices, at one threshold for all of them."""
    values = [float(each[name][0]) for each in slices]
    yield ScoreRow(
        name=name, value=mean(values), protocol=f"{words}, labels as given, {_mean_over(values)}"
    )
    at = [each[f"{name}_at"] for each in slices if f"{name}_at" in each]
    if at:
        means = [mean(column) for column in np.transpose(at).tolist()]
        best = int(np.argmax(np.nan_to_num(means, nan=-1)))
        over = _mean_over([float(values[best]) for values in at])
        yield ScoreRow(
            name=f"{name}_best", value=means[best], protocol=f"{words}, {_best(best)}, {over}"
        )


def _sum_rows(
    name: str,
    error: Callable[[NDArray[np.int64]], float],
    words: str,
    slices: Sequence[SliceEvidence],
    of: str,
) -> Iterator[ScoreRow]:
    """Errors of sums over slices, at one threshold for all of them."""
    value = error(_sums([each[name][0] for each in slices], 3))
    yield ScoreRow(
        name=f"{name}_error", value=value, protocol=f"{words}, labels as given, over {of}"
    )
    at = [each[f"{name}_at"] for each in slices if f"{name}_at" in each]
    if at:
        errors = [error(sums) for sums in _sums(at, 3)]
        best = int(np.argmin(np.nan_to_num(errors, nan=2)))
        yield ScoreRow(
            name=f"{name}_error_best",
            value=errors[best],
            protocol=f"{words}, {_best(best)}, over {_counted(len(at))}",
        )


def _slices(case: Case) -> Iterator[tuple[Interiors, NDArray[np.floating] | None]]:
    labels, mask = case.labels, case.masks[0]
    out = (labels < 0) | (mask < 0)
    if case.ignore_index is not None:
        out |= mask == case.ignore_index
    found, truth = _interior(labels, case.class_names), _interior(mask, case.class_names)
    probability = _interior_probability(case)
    if labels.ndim == 2:
        found, truth, out = found[None], truth[None], out[None]
        probability = None if probability is None else probability[None]
    for index in range(len(found)):
        counted = ~out[index] if out[index].any() else None
        pair = Interiors(found=found[index], truth=truth[index], counted=counted)
        yield pair, None if probability is None else probability[index]


def _interior(values: NDArray[np.integer], names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Inside of cells: the class ``cell``, without such a class all but 0."""
    return values == names.index("cell") if "cell" in names else values > 0


def _interior_probability(case: Case) -> NDArray[np.floating] | None:
    if case.probabilities is None:
        return None
    named = "cell" in case.class_names
    place = case.class_names.index("cell") if named else 0
    if place >= len(case.probabilities):
        raise InputError(
            f"the probabilities of {case.name} are of {len(case.probabilities)} classes and cells "
            f"are the class {place}: give those of every class, {', '.join(case.class_names)}"
        )
    probability: NDArray[np.floating] = case.probabilities[place]
    return probability if named else 1 - probability


def _rand_error(sums: NDArray[np.int64]) -> float:
    return 1 - rand_parts(sums).f_score


def _sums(arrays: Sequence[NDArray[np.int64]], count: int) -> NDArray[np.int64]:
    """The sum of arrays (..., count), zeros where there are none."""
    return sum(arrays, start=np.zeros(count, np.int64))


def _mean_over(values: Sequence[float]) -> str:
    return f"mean over {_counted(sum(not math.isnan(value) for value in values))}"


def _counted(slices: int) -> str:
    return f"{slices} slice{'' if slices == 1 else 's'}"


def _best(index: int) -> str:
    return f"best of {len(THRESHOLDS)} thresholds of the probability ({THRESHOLDS[index]:.1f})"


def _kind(name: str, title: str) -> ScoreKind:
    return ScoreKind(name=name, title=title, better="higher", perfect=1.0)


def _error(name: str, title: str) -> ScoreKind:
    return ScoreKind(name=name, title=title, better="lower", perfect=0.0)


PROTOCOL = Protocol(
    summary="cells between membranes as ISBI 2012 scores them (Arganda-Carreras et al., 2015)",
    scores=(
        _kind("v_rand", "V_rand"),
        _kind("v_info", "V_info"),
        _kind("v_rand_best", "V_rand, best threshold"),
        _kind("v_info_best", "V_info, best threshold"),
        _error("rand_error", "Rand error"),
        _error("rand_error_best", "Rand error, best threshold"),
        _error("pixel_error", "pixel error"),
        _error("pixel_error_best", "pixel error, best threshold"),
        _error("warping_error", "warping error"),
    ),
    measure=measure,
    rows=rows,
    unfit=unfit,
    looks_at="classes",
)
