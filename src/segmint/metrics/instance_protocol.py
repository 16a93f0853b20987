"""The protocol ``instances``: objects with a number each, such as nuclei, found and outlined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.annotators import mean
from segmint.metrics.contingency import integer_array
from segmint.metrics.evaluation import ScoreRow
from segmint.metrics.instance_matching import (
    THRESHOLDS,
    PanopticQuality,
    aggregated_areas,
    matched_pairs,
    overlaps,
    panoptic_of,
)
from segmint.metrics.protocol import Case, Protocol, ScoreKind

_ROWS = {"ap50": 0.5, "ap75": 0.75}


@dataclass(frozen=True, kw_only=True)
class InstanceEvidence:
    """What one image contributes."""

    found: int
    """Objects that were found."""
    true: int
    """Objects of the truth."""
    hits: tuple[int, ...]
    """Pairs at each of the thresholds of IoU."""
    shared: int
    """Numerator of the aggregated Jaccard index, in pixels."""
    union: int
    """Its denominator."""
    panoptic: PanopticQuality

    def precision(self, hits: int) -> float:
        """TP / (TP + FP + FN), NaN where there is no object."""
        objects = self.found + self.true
        return hits / (objects - hits) if objects else math.nan


def _unfit(case: Case) -> str:
    if len(case.masks) == 1:
        return ""
    return (
        f"{len(case.masks)} annotators drew segments, and objects are matched with those of one: "
        "score it by --protocol boundaries"
    )


def _measure(case: Case) -> InstanceEvidence:
    found = overlaps(
        numbered_objects(case.labels, f"labels of {case.name}"),
        numbered_objects(case.masks[0], f"mask of {case.name}", case.ignore_index),
        ignore_index=case.ignore_index,
    )
    shared, union = aggregated_areas(found)
    return InstanceEvidence(
        found=found.found.size,
        true=found.true.size,
        hits=tuple(matched_pairs(found, threshold) for threshold in THRESHOLDS),
        shared=shared,
        union=union,
        panoptic=panoptic_of(found),
    )


def numbered_objects(
    labels: NDArray[np.integer], what: str, ignore_index: int | None = None
) -> NDArray[np.integer]:
    """Objects with a number each; a map with one number alone is cut into its connected pieces.

    Args:
        labels: (H, W) or (D, H, W), 0 is background; negative is not counted.
        what: what the array is, for messages.
        ignore_index: value that is not counted, or None.

    Raises:
        InputError: for other than integers, one for each pixel.

    Example:
        >>> numbered_objects(np.array([[255, 0, 255]]), "labels").tolist()
        [[1, 0, 2]]
        >>> numbered_objects(np.array([[7, 8, 7]]), "labels").tolist()
        [[7, 8, 7]]
    """
    array = integer_array(labels, what)
    inside = array > 0
    if ignore_index is not None:
        inside &= array != ignore_index
    values = array[inside]
    if not values.size or values.min() != values.max():
        return array
    from skimage.measure import label

    pieces = label(inside, connectivity=array.ndim)  # type: ignore[no-untyped-call]
    return np.where(inside, _free_of(pieces, ignore_index), array)


def _free_of(pieces: NDArray[np.integer], ignore_index: int | None) -> NDArray[np.integer]:
    """The numbers without one that would not be counted."""
    if ignore_index is None or ignore_index <= 0:
        return pieces
    return pieces + (pieces >= ignore_index)


def _rows(images: Sequence[InstanceEvidence]) -> list[ScoreRow]:
    counted = sum(1 for image in images if image.found + image.true)
    over = f"mean over {counted} image{'' if counted == 1 else 's'}"
    if counted < len(images):
        over += f", {len(images) - counted} without any object left out"
    ratio = "average precision TP / (TP + FP + FN)"
    rows = [
        ScoreRow(
            name=name,
            value=mean([image.precision(image.hits[_place(level)]) for image in images]),
            protocol=f"{ratio} at IoU {level:g}, {over} ({_counts(images, level)})",
        )
        for name, level in _ROWS.items()
    ]
    rows.append(
        ScoreRow(
            name="ap_mean",
            value=mean([_mean_precision(image) for image in images]),
            protocol=f"{ratio}, mean of IoU {THRESHOLDS[0]:g} to {THRESHOLDS[-1]:g}, {over}",
        )
    )
    indices = [image.shared / image.union if image.union else math.nan for image in images]
    rows.append(
        ScoreRow(name="aji", value=mean(indices), protocol=f"aggregated Jaccard index, {over}")
    )
    return rows + _panoptic_rows(images)


def _panoptic_rows(images: Sequence[InstanceEvidence]) -> list[ScoreRow]:
    total = PanopticQuality(hits=0, spurious=0, missed=0, overlap=0.0)
    for image in images:
        total += image.panoptic
    over = f"IoU above 0.5, over all {total.hits + total.missed} true objects together"
    return [
        ScoreRow(
            name="panoptic_quality",
            value=total.quality,
            protocol=f"segmentation times recognition quality, {over}",
        ),
        ScoreRow(
            name="segmentation_quality",
            value=total.segmentation,
            protocol=f"mean IoU of the {total.hits} objects found, {over}",
        ),
        ScoreRow(
            name="recognition_quality",
            value=total.recognition,
            protocol=f"F score of finding objects, {over}",
        ),
    ]


def _mean_precision(image: InstanceEvidence) -> float:
    return math.fsum(image.precision(hits) for hits in image.hits) / len(image.hits)


def _counts(images: Sequence[InstanceEvidence], level: float) -> str:
    """Objects of all images: hits, spurious and missed."""
    hits = sum(image.hits[_place(level)] for image in images)
    found, true = sum(image.found for image in images), sum(image.true for image in images)
    return f"in all {hits} hits, {found - hits} spurious, {true - hits} missed"


def _place(level: float) -> int:
    return THRESHOLDS.index(level)


PROTOCOL = Protocol(
    summary="objects found and outlined (Data Science Bowl 2018, Kumar et al. 2017)",
    scores=(
        ScoreKind(name="ap50", title="AP at IoU .5", better="higher", perfect=1.0),
        ScoreKind(name="ap75", title="AP at IoU .75", better="higher", perfect=1.0),
        ScoreKind(name="ap_mean", title="AP, mean of .5 to .95", better="higher", perfect=1.0),
        ScoreKind(name="aji", title="AJI", better="higher", perfect=1.0),
        ScoreKind(name="panoptic_quality", title="panoptic quality", better="higher", perfect=1.0),
        ScoreKind(
            name="segmentation_quality", title="segmentation quality", better="higher", perfect=1.0
        ),
        ScoreKind(
            name="recognition_quality", title="recognition quality", better="higher", perfect=1.0
        ),
    ),
    measure=_measure,
    rows=_rows,
    unfit=_unfit,
    looks_at="objects",
)
