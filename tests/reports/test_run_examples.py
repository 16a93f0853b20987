from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segmint.recipes.run import Run
from segmint.recipes.scoring import score_run
from segmint.recipes.splits import open_again
from segmint.reports.class_picture import UNCOUNTED
from segmint.reports.run_examples import (
    KeptPredictions,
    evenly,
    evenly_ranked,
    gather_examples,
)


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=30), st.integers(0, 9))
def test_examples_go_from_the_best_to_the_worst(scores: list[float], count: int) -> None:
    chosen = evenly_ranked(scores, count)
    known = [score for score in scores if not math.isnan(score)]
    assert len(chosen) == len(set(chosen)) == min(count, len(known))
    values = [scores[index] for index in chosen]
    assert values == sorted(values, reverse=True)
    if len(chosen) > 1:
        assert (values[0], values[-1]) == (max(known), min(known))


@given(st.integers(1, 200), st.integers(2, 24))
def test_steps_are_even(length: int, count: int) -> None:
    places = evenly(length, count)
    assert len(set(places)) == min(count, length)
    steps = np.diff(places)
    assert steps.size == 0 or steps.max() - steps.min() <= 1


def test_kept_predictions_come_back_and_stay_within_their_bound() -> None:
    labels = np.random.default_rng(0).integers(-1, 200, (30, 40)).astype(np.int32)
    kept = KeptPredictions()
    kept.keep(3, labels)
    found = kept.get(3)
    assert found is not None
    assert np.array_equal(found, np.where(labels < 0, UNCOUNTED, labels))
    assert kept.get(4) is None
    small = KeptPredictions(most=100)
    small.keep(0, labels)
    assert small.get(0) is None
    small.keep(1, np.zeros((30, 40), np.int32))
    assert small.get(1) is not None


def test_what_was_not_kept_is_predicted_again(cells_run: Run) -> None:
    val, kept = open_again(cells_run), KeptPredictions()
    scores = score_run(cells_run, val, keep=kept.keep)
    with_kept = gather_examples(cells_run, val, 3, scores=scores, kept=kept)
    without = gather_examples(cells_run, val, 3, scores=scores)
    for one, other in zip(with_kept, without, strict=True):
        assert one.name == other.name
        assert np.array_equal(one.labels, other.labels)
    ious = {
        pair.name: each.mean_iou
        for pair, each in zip(val.pairs, scores.images.values(), strict=True)
    }
    assert [each.mean_iou for each in with_kept] == [ious[each.name] for each in with_kept]
    assert with_kept[0].mean_iou == max(ious.values())
    assert with_kept[-1].mean_iou == min(ious.values())


def test_without_scores_examples_are_spread_over_the_split(cells_run: Run) -> None:
    val = open_again(cells_run)
    examples = gather_examples(cells_run, val, 3)
    assert [each.name for each in examples] == [val.pairs[index].name for index in (0, 2, 4)]
    assert all(each.mean_iou is None for each in examples)
    truth = examples[1].truth
    assert truth is not None
    assert np.array_equal(truth, val[2].mask)
