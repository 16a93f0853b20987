from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from segmint.errors import InputError
from segmint.metrics.boundaries import boundary_counts
from segmint.metrics.boundary_pixels import block_boundaries
from segmint.metrics.boundary_protocol import PROTOCOL
from segmint.metrics.protocol import Case


def patches(seed: int, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """Segments around random points."""
    rng = np.random.default_rng(seed)
    points = rng.random((6, 2)) * size
    places = np.stack(np.mgrid[: size[0], : size[1]], axis=-1)
    return np.asarray(((places[:, :, None] - points) ** 2).sum(axis=-1).argmin(axis=-1), np.int32)


def case_of(seed: int, *, strengths: bool = False) -> Case:
    masks = (patches(seed), patches(seed) // 2, patches(seed + 50))
    labels = np.roll(patches(seed), 1, axis=1)
    levels = 0.8 * block_boundaries(patches(seed) // 2) + 0.1 * block_boundaries(labels)
    return Case(
        name=f"photo {seed}",
        labels=labels,
        masks=masks,
        ignore_index=None,
        strengths=levels.astype(np.float32) if strengths else None,
    )


def values(*cases: Case) -> dict[str, float]:
    return {row.name: row.value for row in PROTOCOL.rows([PROTOCOL.measure(c) for c in cases])}


def test_counts_are_added_up_before_they_are_divided() -> None:
    cases = [case_of(seed) for seed in range(3)]
    first, *others = (
        boundary_counts(case.labels, list(case.masks), ignore_index=None) for case in cases
    )
    total = first
    for other in others:
        total += other
    assert values(*cases) == {
        "boundary_f": total.f_score,
        "boundary_precision": total.precision,
        "boundary_recall": total.recall,
    }


def test_strengths_give_scores_over_thresholds() -> None:
    scores = values(*(case_of(seed, strengths=True) for seed in range(2)))
    assert scores.keys() == {kind.name for kind in PROTOCOL.scores}
    assert 0 < scores["boundary_ods"] <= scores["boundary_ois"] < 1
    assert 0 < scores["boundary_ap"] < 1


def test_images_without_strengths_are_left_out_of_those() -> None:
    rows = PROTOCOL.rows(
        [PROTOCOL.measure(case_of(0)), PROTOCOL.measure(case_of(1, strengths=True))]
    )
    words = {row.name: row.protocol for row in rows}
    assert words["boundary_f"].endswith("2 images and 6 annotations")
    assert words["boundary_ods"].endswith("1 image and 3 annotations")


def test_a_stack_is_its_slices() -> None:
    cases = [case_of(seed, strengths=True) for seed in range(2)]
    stack = Case(
        name="stack",
        labels=np.stack([case.labels for case in cases]),
        masks=tuple(np.stack(each) for each in zip(*(case.masks for case in cases), strict=True)),
        ignore_index=None,
        strengths=np.stack([case.strengths for case in cases if case.strengths is not None]),
    )
    one, two = values(stack), values(*cases)
    assert {name: one[name] for name in ("boundary_f", "boundary_ods")} == {
        name: two[name] for name in ("boundary_f", "boundary_ods")
    }


def test_nobody_has_a_boundary() -> None:
    blank = np.zeros((10, 12), np.int32)
    case = Case(name="blank", labels=blank, masks=(blank,), ignore_index=None)
    assert all(math.isnan(value) for value in values(case).values())
    assert values(case, case_of(0)) == values(case_of(0))


def test_sizes_must_fit() -> None:
    case = case_of(0)
    with pytest.raises(InputError, match="same size"):
        PROTOCOL.measure(replace(case, masks=(case.masks[0][1:],)))
    with pytest.raises(InputError, match="strengths of photo 0 are 5 x 64"):
        PROTOCOL.measure(replace(case, strengths=np.zeros((5, 64), np.float32)))
