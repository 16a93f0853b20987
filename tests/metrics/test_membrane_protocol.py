from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from segmint.errors import InputError
from segmint.metrics.foreground_information import foreground_information
from segmint.metrics.foreground_rand import foreground_rand
from segmint.metrics.membrane_evidence import THRESHOLDS
from segmint.metrics.membrane_protocol import PROTOCOL
from segmint.metrics.pixel_error import pixel_error
from segmint.metrics.protocol import Case
from segmint.metrics.rand_error import rand_error
from segmint.metrics.warping_error import warping_error

NAMES = ("membrane", "cell")


def made_up(seed: int, size: tuple[int, int] = (40, 44)) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and a probability of being inside of a cell that is somewhat wrong."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.standard_normal((2, *size)), (0, 2, 2))
    noise /= noise.std(axis=(1, 2), keepdims=True)
    truth = np.abs(noise[0]) > 0.25
    closeness = np.abs(noise[0]) - 0.25 + 0.15 * noise[1]
    return truth, (1 / (1 + np.exp(-6 * closeness))).astype(np.float32)


def case_of(
    truth: np.ndarray, probability: np.ndarray, *, name: str = "cat", full: bool = True
) -> Case:
    return Case(
        name=name,
        labels=(probability > 0.5).astype(np.int32),
        masks=(truth.astype(np.uint8),),
        ignore_index=255,
        probabilities=np.stack([1 - probability, probability]) if full else None,
        class_names=NAMES,
    )


def values(*cases: Case) -> dict[str, float]:
    return {row.name: row.value for row in PROTOCOL.rows([PROTOCOL.measure(c) for c in cases])}


def test_one_slice_is_what_the_functions_say() -> None:
    truth, probability = made_up(0)
    scores = values(case_of(truth, probability))
    found = probability > 0.5
    assert scores["v_rand"] == foreground_rand(found, truth)
    assert scores["v_info"] == foreground_information(found, truth)
    assert scores["rand_error"] == rand_error(found, truth)
    assert scores["pixel_error"] == pixel_error(found, truth)
    assert scores["warping_error"] == warping_error(found, truth)
    at = [probability > threshold for threshold in THRESHOLDS]
    assert scores["v_rand_best"] == max(foreground_rand(each, truth) for each in at)
    assert scores["v_info_best"] == max(foreground_information(each, truth) for each in at)
    assert scores["rand_error_best"] == min(rand_error(each, truth) for each in at)
    assert scores["pixel_error_best"] == min(pixel_error(each, truth) for each in at)
    assert scores.keys() == {kind.name for kind in PROTOCOL.scores}


def test_v_scores_are_means_and_the_threshold_is_one_for_all() -> None:
    slices = [made_up(seed) for seed in range(3)]
    scores = values(*(case_of(*each) for each in slices))
    assert scores["v_rand"] == pytest.approx(
        np.mean([foreground_rand(probability > 0.5, truth) for truth, probability in slices])
    )
    at = [
        np.mean([foreground_rand(probability > threshold, truth) for truth, probability in slices])
        for threshold in THRESHOLDS
    ]
    assert scores["v_rand_best"] == pytest.approx(max(at))


def test_a_stack_is_its_slices() -> None:
    slices = [made_up(seed) for seed in range(3)]
    stack = case_of(*(np.stack(each) for each in zip(*slices, strict=True)))
    assert stack.labels.shape == (3, 40, 44)
    assert values(stack) == values(*(case_of(*each) for each in slices))


def test_errors_are_of_all_slices_together() -> None:
    wide = np.ones((10, 30), bool)
    wide[:, 15] = False
    halves = wide.copy()
    halves[:, :15] = False
    scores = values(
        case_of(wide, wide.astype(np.float32)), case_of(wide, halves.astype(np.float32))
    )
    assert scores["pixel_error"] == pytest.approx(1 - 2 * (290 + 140) / (290 + 290 + 290 + 140))


def test_interior_is_the_class_cell_or_all_but_the_first() -> None:
    truth, probability = made_up(1)
    case = case_of(truth, probability)
    turned = replace(
        case,
        labels=1 - case.labels,
        masks=(1 - case.masks[0],),
        probabilities=None if case.probabilities is None else case.probabilities[::-1],
        class_names=("cell", "membrane"),
    )
    assert values(turned) == pytest.approx(values(case), nan_ok=True)
    pieces = ndimage.label(case.labels)[0]
    numbered = replace(case, labels=pieces, class_names=())
    assert values(numbered) == pytest.approx(values(case))


def test_ignored_pixels_do_not_count() -> None:
    truth, probability = made_up(2)
    case = case_of(truth, probability, full=False)
    mask = case.masks[0].copy()
    mask[:, 30:] = 255
    labels = case.labels.copy()
    labels[5:9, 30:] = -1
    scores = values(replace(case, masks=(mask,), labels=labels))
    counted = mask != 255
    found = probability > 0.5
    assert scores["pixel_error"] == pixel_error(found, truth, counted=counted)
    assert scores["v_rand"] == pytest.approx(
        foreground_rand((labels == 1), mask == 1, counted=counted)
    )
    assert 0 < scores["warping_error"] < 1


def test_slices_without_cells_are_left_out_of_means() -> None:
    truth, probability = made_up(3)
    empty = case_of(np.zeros_like(truth), np.zeros_like(probability))
    alone = PROTOCOL.rows([PROTOCOL.measure(empty)])
    assert math.isnan(alone[0].value)
    assert "mean over 0 slices" in alone[0].protocol
    both = values(empty, case_of(truth, probability))
    assert both["v_rand"] == values(case_of(truth, probability))["v_rand"]


def test_without_probabilities_there_is_no_best_threshold() -> None:
    plain = case_of(*made_up(0), full=False)
    assert list(values(plain)) == ["v_rand", "v_info", "rand_error", "pixel_error", "warping_error"]
    mixed = PROTOCOL.rows([PROTOCOL.measure(each) for each in (plain, case_of(*made_up(1)))])
    words = {row.name: row.protocol for row in mixed}
    assert words["v_rand"].endswith("mean over 2 slices")
    assert words["v_rand_best"].endswith("mean over 1 slice")


def test_what_cannot_be_scored() -> None:
    case = case_of(*made_up(0))
    assert "there are 2" in PROTOCOL.unfit(replace(case, masks=case.masks * 2))
    with pytest.raises(InputError, match="same size"):
        PROTOCOL.measure(replace(case, masks=(case.masks[0][1:],)))
    with pytest.raises(InputError, match="probabilities of cat are 2 x 40 x 40"):
        small = np.zeros((2, 40, 40), np.float32)
        PROTOCOL.measure(replace(case, probabilities=small))
