"""Scores of components against what the metrics say of the same arrays, and against brute force."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from segmint.comparisons.component_cell import Found
from segmint.comparisons.mixture_scores import score_mixtures
from segmint.comparisons.segment_scores import score_segments
from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.sample import Sample
from segmint.metrics import evaluate_many

CLASSES = ("blood", "muscle", "scar")


def dataset_of(found: Sequence[Found], **others: object) -> Dataset:
    samples = {each.pair.name: each.sample for each in found}
    return Dataset(
        name="made",
        root=Path(),
        split="test",
        classes=CLASSES,
        palette=np.zeros((3, 3), np.uint8),
        pairs=tuple(each.pair for each in found),
        read=lambda pair: samples[pair.name],
        **others,  # type: ignore[arg-type]
    )


def found_in(seed: int, *, names: dict[str, str] | None = None) -> Found:
    """Labels that are a shuffled and noisy mask, outside of a region -1."""
    generator = np.random.default_rng(seed)
    mask = generator.integers(0, 3, (6, 7)).astype(np.uint8)
    labels = np.array([2, 0, 1], np.int32)[mask]
    wrong = generator.random(mask.shape) < 0.3
    labels[wrong] = generator.integers(0, 4, int(wrong.sum()))
    labels[0], mask[0], mask[1, :2] = -1, 255, 255
    name = f"image{seed}"
    return Found(
        pair=Pair(image=Path(name), mask=None, name=name),
        sample=Sample(image=np.zeros((6, 7, 1), np.uint8), mask=mask, name=name),
        labels=labels,
        record={"names": names or {}, "history": [{"nll": 9.0}, {"nll": 1.0 + seed}]},
    )


def dice_of(labels: np.ndarray, mask: np.ndarray) -> list[float]:
    known = mask != 255
    pairs = [((labels == number) & known, mask == number) for number in range(3)]
    return [2 * (one & two).sum() / (one.sum() + two.sum()) for one, two in pairs]


def best_naming(labels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Labels as the classes of the assignment with most pixels right, by trying all."""
    ids = [label for label in np.unique(labels) if label >= 0]
    best, found = -1, labels
    for chosen in itertools.permutations([*range(3), *[-1] * len(ids)], len(ids)):
        named = np.full_like(labels, -1)
        for label, value in zip(ids, chosen, strict=True):
            named[labels == label] = value
        right = int(((named == mask) & (mask != 255)).sum())
        if right > best:
            best, found = right, named
    return found


def test_dice_of_mixtures_is_that_of_the_best_naming_of_each_image() -> None:
    found = [found_in(seed) for seed in range(3)]
    answer = score_mixtures(found, dataset_of(found))
    dice = [dice_of(best_naming(each.labels, each.sample.mask), each.sample.mask) for each in found]
    assert answer.scores["mean_dice"] == pytest.approx(np.mean(dice))
    for index, name in enumerate(CLASSES):
        assert answer.classes[name]["dice"] == pytest.approx(np.mean(dice, axis=0)[index])
    assert answer.images["image1"]["mean_dice"] == pytest.approx(np.mean(dice[1]))
    assert answer.scores["nll"] == pytest.approx(2.0)
    assert answer.images["image2"]["nll"] == 3.0
    assert answer.scores["mean_dice_own"] is None


def test_components_with_names_are_scored_by_them() -> None:
    names = {"0": "muscle", "1": "scar", "2": "blood", "3": "something else"}
    found = [found_in(seed, names=names) for seed in range(2)]
    answer = score_mixtures(found, dataset_of(found))
    inverse = np.array([1, 2, 0, -1, -1])
    dice = [dice_of(inverse[each.labels], each.sample.mask) for each in found]
    assert answer.scores["mean_dice_own"] == pytest.approx(np.mean(dice))


def test_segments_with_one_mask_have_what_the_metrics_say() -> None:
    found = [found_in(seed) for seed in range(3)]
    answer = score_segments(found, dataset_of(found))
    table = evaluate_many(
        ((each.pair.name, each.labels, each.sample.mask) for each in found),
        relabel=True,
        classes=3,
    )
    expected = {row.name: row.value for row in table.rows()}
    assert {name: answer.scores[name] for name in expected} == pytest.approx(expected)
    assert answer.scores["mean_iou"] == pytest.approx(expected["mean_iou"])
    assert table.confusion is not None
    assert answer.classes["scar"]["iou"] == pytest.approx(
        table.confusion.intersection_over_union[2]
    )
    for row in table.image_rows():
        image = answer.images[str(row.pop("image"))]
        assert {name: image[name] for name in row} == pytest.approx(row)


def test_segments_of_annotators_have_no_classes() -> None:
    found = [found_in(seed) for seed in range(2)]
    generator = np.random.default_rng(9)
    drawn = {
        each.pair.name: tuple(generator.integers(0, 300, (6, 7)).astype(np.int32) for _ in range(3))
        for each in found
    }
    answer = score_segments(found, dataset_of(found, truths=lambda pair: drawn[pair.name]))
    table = evaluate_many(
        ((each.pair.name, each.labels, drawn[each.pair.name]) for each in found),
        relabel=True,
        ignore_index=None,
    )
    expected = {row.name: row.value for row in table.rows()}
    assert dict(answer.scores) == pytest.approx(expected)
    assert "mean_iou" not in answer.scores
    assert answer.classes == {}
