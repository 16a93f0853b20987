"""From what a user asks to a comparison: everything is checked before anything runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from segmint.comparisons.arm import BLANK, Arm
from segmint.comparisons.arm_settings import settle_arms
from segmint.comparisons.arms import is_label_free, parse_arms
from segmint.comparisons.assigned import Assigned, sort_out
from segmint.comparisons.budget import Budget
from segmint.comparisons.columns import (
    ANNOTATORS,
    CLASSES,
    MIXTURES,
    SEGMENTS,
    protocol_columns,
)
from segmint.comparisons.data import Scored, Source, choose_split, scored_images
from segmint.comparisons.differences import differences, shared_words
from segmint.comparisons.machine import machine
from segmint.comparisons.option_words import in_words_of_set
from segmint.comparisons.plan import Comparison, Scoring
from segmint.comparisons.published import FULL_SPLITS
from segmint.comparisons.reach import reach_notes
from segmint.comparisons.table import Column
from segmint.comparisons.truths import has_annotators
from segmint.datasets import Dataset, recognize
from segmint.datasets.opening import AUTO
from segmint.devices import check_arithmetic
from segmint.errors import UsageError
from segmint.recipes.recipe import counted_images
from segmint.recipes.settings import assignments
from segmint.recipes.splits import Splits, open_splits
from segmint.recipes.supervised_options import AUTO_VAL_FRACTION, DataOptions

_MIXTURES = ("em-gmm", "em-svgmm", "deepg", "deepsvg", BLANK)
_SECTION = "data."
_LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a user asks of a comparison."""

    arms: Sequence[str | Arm]
    """As :func:`parse_arms` takes them."""
    data: str | Path
    """Root of the data set."""
    out: str | Path
    dataset: str = AUTO
    seeds: int = 3
    """How many."""
    first_seed: int = 0
    budget: Budget = field(default_factory=Budget)
    split: str | None = None
    """That is scored; None is ``test`` where it has a truth, else ``val``."""
    images: int | None = None
    """So many of the split, evenly spread; None is all."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Options, as :func:`sort_out` takes them."""
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0
    jobs: int = 1
    command: str = ""


def plan(question: Question) -> Comparison:
    """Check everything, and settle every option.

    Raises:
        UsageError: for an unknown arm or option, a value out of range, or arms that cannot be
            compared.
        InputError: for data that cannot be used.
    """
    _check_numbers(question)
    root = Path(question.data)
    arms = parse_arms(question.arms, root)
    with in_words_of_set(arms):
        return _planned(question, arms, root)


def _planned(question: Question, arms: Sequence[Arm], root: Path) -> Comparison:
    learns = [arm for arm in arms if not is_label_free(arm)]
    _check_kinds(arms, learns)
    _check_budget(question.budget, arms)
    assigned = sort_out(question.values, arms)
    data = _data_options(question, assigned, root)
    source = _source(data, root, learns=bool(learns), seed=question.first_seed)
    settings = settle_arms(
        arms, assigned, question.budget, replace(data, val_seed=source.seed).resolved()
    )
    trains = any(arm.way == "recipe" for arm in arms)
    split = choose_split(source, question.split, learns=trains)
    scored = scored_images(source, split, most=question.images)
    scoring = _scoring(arms, learns, scored.dataset)
    splits = open_splits(root, data, seed=source.seed) if learns else None
    return Comparison(
        out=Path(question.out),
        arms=tuple(
            replace(arm, preset=assigned.presets.get(arm.label, arm.preset)) for arm in arms
        ),
        seeds=tuple(range(question.first_seed, question.first_seed + question.seeds)),
        dataset=source.name,
        root=root,
        dataset_options=source.options,
        val_fraction=source.val_fraction,
        split=split,
        images=tuple(pair.name for pair in scored.dataset.pairs),
        is_full=scored.is_whole and _is_official(scored),
        scoring=scoring,
        columns=_columns(scoring, scored.dataset),
        settings=settings,
        device=question.device,
        precision=question.precision,
        threads=_threads(question),
        same={
            "data": _told_of_data(scored, source),
            **_told_of_learning(splits),
            **shared_words(arms, settings),
        },
        differences=differences(arms, settings),
        notes=(
            *scored.notes,
            *_told_of_overlap(scored.dataset, splits),
            *reach_notes(arms, assigned.shared, settings),
        ),
        command=question.command,
        machine=machine(question.device if trains else "cpu"),
    )


def _check_numbers(question: Question) -> None:
    check_arithmetic(question.first_seed, question.device, question.precision)
    last = question.first_seed + question.seeds - 1
    if last > _LARGEST_SEED:
        raise UsageError(
            f"--seeds {question.seeds} from --seed {question.first_seed} on ends with seed {last}, "
            f"accepted is up to {_LARGEST_SEED}: give a smaller --seed"
        )
    least = {"seeds": question.seeds, "jobs": question.jobs}
    if question.images is not None:
        least["images"] = question.images
    for name, value in least.items():
        if value < 1:
            raise UsageError(f"--{name} is {value}, accepted is 1 or more")


def _check_kinds(arms: Sequence[Arm], learns: Sequence[Arm]) -> None:
    others = [arm.label for arm in arms if arm not in learns]
    if learns and others:
        raise UsageError(
            f"{learns[0].label} learns classes and {others[0]} finds components without names, so "
            "no score is fair to both: compare recipes that learn classes with each other, and "
            "label-free arms in a comparison of their own"
        )


def _check_budget(budget: Budget, arms: Sequence[Arm]) -> None:
    if budget != Budget() and all(arm.way == "method" for arm in arms):
        raise UsageError(
            "no arm is a recipe, so none has a budget of learning to keep: leave "
            "--budget-minutes, --epochs and --steps out, or give --set iterations=N and the like"
        )


def _data_options(question: Question, assigned: Assigned, root: Path) -> DataOptions:
    """The section ``data`` of every arm."""
    given = {
        name.removeprefix(_SECTION): value
        for name, value in assigned.shared.items()
        if name.startswith(_SECTION)
    }
    if "dataset" in given:
        raise UsageError("--set data.dataset gives what --dataset gives: give --dataset")
    name = recognize(root) if question.dataset == AUTO else question.dataset
    return DataOptions.from_mapping({"dataset": name, **given})


def _source(data: DataOptions, root: Path, *, learns: bool, seed: int) -> Source:
    options = assignments(data.dataset_options, flag="--dataset-options")
    fraction = data.val_fraction
    source = Source(
        name=data.dataset,
        root=root,
        options=options,
        val_fraction=fraction,
        seed=seed if data.val_seed is None else data.val_seed,
    )
    whole = replace(source, val_fraction=None)
    if learns and fraction is None and data.val_split not in whole.splits():
        return replace(source, val_fraction=AUTO_VAL_FRACTION)
    return source


def _scoring(arms: Sequence[Arm], learns: Sequence[Arm], dataset: Dataset) -> Scoring:
    if learns:
        return "classes"
    mixtures = all(arm.name in _MIXTURES for arm in arms)
    return "mixtures" if mixtures and not has_annotators(dataset) else "segments"


def _columns(scoring: Scoring, dataset: Dataset) -> tuple[Column, ...]:
    if scoring == "classes":
        return (*CLASSES, *protocol_columns(dataset.protocols))
    if scoring == "mixtures":
        return MIXTURES
    if has_annotators(dataset):
        return (*ANNOTATORS, *protocol_columns(dataset.protocols))
    return SEGMENTS


def _is_official(scored: Scored) -> bool:
    dataset = scored.dataset
    return FULL_SPLITS.get((dataset.name, dataset.split)) == len(dataset)


def _threads(question: Question) -> int:
    """So many that all cells at once have the processor to themselves."""
    if question.threads or question.jobs == 1:
        return question.threads
    return max(1, (os.cpu_count() or 1) // question.jobs)


def _told_of_data(scored: Scored, source: Source) -> str:
    images = counted_images(len(scored.dataset))
    return f"scores of {images} of {scored.dataset.split}, {source.name}, at native size"


def _told_of_learning(splits: Splits | None) -> dict[str, str]:
    """What recipes learn from, and by what the best weights are chosen."""
    if splits is None:
        return {}
    learned = f"learned from {counted_images(len(splits.train))} of {splits.train.split}"
    if splits.val is None:
        return {"learning": f"{learned}, the last weights kept"}
    chosen = (
        f"weights chosen by mean IoU on {counted_images(len(splits.val))} of {splits.val.split}"
    )
    return {"learning": f"{learned}, {chosen}"}


def _told_of_overlap(scored: Dataset, splits: Splits | None) -> Iterator[str]:
    """What makes scores too good: images that were learned from, or that chose the weights."""
    if splits is None:
        return
    if _have_common(scored, splits.train):
        yield (
            f"scored on {scored.split}, which the networks learned from: no measure of what they "
            "do with new images"
        )
    if splits.val is not None and _have_common(scored, splits.val):
        yield (
            f"scored on {scored.split}, which also chose the weights that each training kept, so "
            "that the scores are a little too good"
        )


def _have_common(first: Dataset, second: Dataset) -> bool:
    images = [{(pair.image, pair.page) for pair in each.pairs} for each in (first, second)]
    return not images[0].isdisjoint(images[1])
