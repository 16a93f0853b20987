"""The protocol ``boundaries``: how the Berkeley benchmark scores boundaries of segments.

Martin, Fowlkes, Malik, PAMI 26(5), 2004; Arbelaez et al., PAMI 33(5), 2011.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from segmint.metrics.boundaries import (
    TOLERANCE,
    BoundaryCounts,
    TruthBoundaries,
    uncounted_pixels,
)
from segmint.metrics.boundary_curve import (
    THRESHOLDS,
    Curve,
    average_precision,
    best_threshold,
    boundary_curve,
    optimal_data_set_scale,
    optimal_image_scale,
    summed,
)
from segmint.metrics.boundary_pixels import boundary_pixels
from segmint.metrics.evaluation import ScoreRow
from segmint.metrics.protocol import Case, Protocol, ScoreKind


@dataclass(frozen=True, kw_only=True)
class BoundaryEvidence:
    """What one image contributes."""

    counts: BoundaryCounts
    """Of the segments as given; the slices of a stack together."""
    curve: Curve | None
    """At each threshold of the strengths, None without strengths."""
    annotators: int
    """How many drew the truth."""


def measure(case: Case) -> BoundaryEvidence:
    """Match the boundaries of one image, or of each slice of a stack."""
    labels, masks, strengths = case.labels, case.masks, case.strengths
    if labels.ndim == 2:
        labels, masks = labels[None], tuple(mask[None] for mask in masks)
        strengths = None if strengths is None else strengths[None]
    total, curves = BoundaryCounts(), []
    for index, found in enumerate(labels):
        drawn = [mask[index] for mask in masks]
        uncounted = uncounted_pixels(found, drawn, case.ignore_index)
        truth = TruthBoundaries(drawn, uncounted=uncounted)
        total += truth.counts(boundary_pixels(found))
        if strengths is not None:
            curves.append(boundary_curve(strengths[index], truth))
    curve = summed(curves) if curves else None
    return BoundaryEvidence(counts=total, curve=curve, annotators=len(masks))


def rows(evidence: Sequence[BoundaryEvidence]) -> list[ScoreRow]:
    """The scores of some images; counts are added up before precision and recall are formed."""
    total = sum((image.counts for image in evidence), BoundaryCounts())
    of = _of(evidence)
    how = f"thinned boundaries matched within {TOLERANCE} of the diagonal"
    given = f"{how}, labels as given, sums over {of}"
    found = [
        ScoreRow(name="boundary_f", value=total.f_score, protocol=f"F, {given}"),
        ScoreRow(name="boundary_precision", value=total.precision, protocol=f"precision, {given}"),
        ScoreRow(name="boundary_recall", value=total.recall, protocol=f"recall, {given}"),
    ]
    return found + _curve_rows([image for image in evidence if image.curve is not None], how)


def _curve_rows(evidence: Sequence[BoundaryEvidence], how: str) -> list[ScoreRow]:
    curves = [image.curve for image in evidence if image.curve is not None]
    if not curves:
        return []
    total = summed(curves)
    of = f"{len(THRESHOLDS)} thresholds of boundary strength, {how}, sums over {_of(evidence)}"
    best = f"{THRESHOLDS[best_threshold(total)]:.2f}"
    return [
        ScoreRow(
            name="boundary_ods",
            value=optimal_data_set_scale(curves).f_score,
            protocol=f"F at the threshold best for the set ({best}) of {of}",
        ),
        ScoreRow(
            name="boundary_ois",
            value=optimal_image_scale(curves).f_score,
            protocol=f"F at the threshold best for each image of {of}",
        ),
        ScoreRow(
            name="boundary_ap",
            value=average_precision(total),
            protocol=f"area under precision over recall at {of}",
        ),
    ]


def _of(evidence: Sequence[BoundaryEvidence]) -> str:
    annotators = sum(image.annotators for image in evidence)
    images = f"{len(evidence)} image{'' if len(evidence) == 1 else 's'}"
    return f"{images} and {annotators} annotation{'' if annotators == 1 else 's'}"


def _kind(name: str, title: str) -> ScoreKind:
    return ScoreKind(name=name, title=title, better="higher", perfect=1.0)


PROTOCOL = Protocol(
    summary="boundaries of segments as BSDS500 scores them (Arbelaez et al., 2011)",
    scores=(
        _kind("boundary_f", "boundary F"),
        _kind("boundary_precision", "boundary precision"),
        _kind("boundary_recall", "boundary recall"),
        _kind("boundary_ods", "boundary F (ODS)"),
        _kind("boundary_ois", "boundary F (OIS)"),
        _kind("boundary_ap", "boundary AP"),
    ),
    measure=measure,
    rows=rows,
    looks_at="objects",
)
