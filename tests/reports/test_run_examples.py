from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segmint.recipes.run import Run
from segmint.recipes.scoring import score_run
from segmint.recipes.splits import open_again
from segmint.reports.run_examples import evenly, evenly_ranked, gather_examples


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


def test_examples_have_their_scores_and_places(cells_run: Run) -> None:
    val = open_again(cells_run)
    scores = score_run(cells_run, val)
    examples = gather_examples(cells_run, val, 3, scores=scores)
    ious = {
        pair.name: each.mean_iou
        for pair, each in zip(val.pairs, scores.images.values(), strict=True)
    }
    assert [each.mean_iou for each in examples] == [ious[each.name] for each in examples]
    assert examples[0].mean_iou == max(ious.values())
    assert examples[1].mean_iou == float(np.median(list(ious.values())))
    assert examples[2].mean_iou == min(ious.values())
    assert [(each.rank, each.ranked) for each in examples] == [(1, 5), (3, 5), (5, 5)]


def test_examples_say_what_the_network_was_unsure_of(cells_run: Run) -> None:
    val = open_again(cells_run)
    (example,) = gather_examples(cells_run, val, 1)
    found = cells_run.segment(val[0].image)
    probabilities = found.probabilities
    assert probabilities is not None
    assert example.entropy is not None
    shares = probabilities.astype(np.float64)
    bits = -np.where(shares > 0, shares * np.log2(np.maximum(shares, 1e-300)), 0).sum(axis=0)
    np.testing.assert_allclose(example.entropy, bits, atol=1e-5)
    assert example.calibration is not None
    assert example.calibration.total == val[0].mask.size
    assert example.calibration.hits.sum() == (found.labels == val[0].mask).sum()
    assert example.disagreement is None


def test_without_scores_examples_are_spread_over_the_split(cells_run: Run) -> None:
    val = open_again(cells_run)
    examples = gather_examples(cells_run, val, 3)
    assert [each.name for each in examples] == [val.pairs[index].name for index in (0, 2, 4)]
    assert all(each.mean_iou is None for each in examples)
    truth = examples[1].truth
    assert truth is not None
    assert np.array_equal(truth, val[2].mask)
