"""The chapter on made-up cells: a U-Net that learns from masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.datasets import Dataset
from segmint.datasets.synthetic import write_cells
from segmint.recipes.run import Run
from segmint.recipes.scoring import RunScores, score_run
from segmint.recipes.splits import open_again
from segmint.recipes.training import train
from segmint.reports.class_legend import class_entries
from segmint.reports.example_figures import example_figures
from segmint.reports.page import Cell, Command, Figure, Section, Table
from segmint.reports.run_curves import learning_charts
from segmint.reports.run_examples import Example, gather_examples
from segmint.reports.run_facts import parameters_of
from segmint.reports.run_scores import number
from segmint.reports.shell import shell_line
from segmint.reports.tour.setting import Tour

PICTURES: Mapping[str, Any] = {"train": 24, "val": 6, "cells": 42}
"""How many pictures there are, and cells in each."""

TRAINING: Mapping[str, Any] = {
    "dataset": "folder",
    "objective": "cross_entropy + dice",
    "features": 12,
    "levels": 3,
    "resize": 0,
    "crop": 96,
    "augmentation": "flip",
    "learning_rate": 0.01,
    "batch_size": 4,
    "epochs": 8,
    "steps_per_epoch": 24,
}
"""A smaller network, smaller crops and fewer, larger steps than the recipe's, to take seconds."""

CHARTS = ("loss", "validation score")
"""Vertical axes of the charts on the page."""

SHOWN = 3
"""Validation pictures on the page."""


@dataclass(frozen=True, kw_only=True)
class _Learned:
    """A run, and what it says of the validation pictures."""

    data: Path
    run: Run
    val: Dataset
    scores: RunScores
    examples: tuple[Example, ...]


def cells_chapter(tour: Tour) -> Section:
    """Pictures of cells with masks, a U-Net that learns from some, and its score on others."""
    learned = _learn(tour)
    run, val = learned.run, learned.val
    history = run.record["history"]
    images = run.record["dataset"]["train_images"]
    return Section(
        title="A U-Net on made-up cells",
        text=(
            f"Where masks are there to learn from, a network can name what it finds. The {images} "
            f"pictures in {learned.data} were drawn in code, with masks: glowing cells, round or "
            "elongated, some of which touch, on an uneven ground. Brightness says nothing about "
            "the kind of a cell, so a network has to look at its shape.",
            f"The U-Net, {parameters_of(run.folder):,} parameters, learned on crops of them in "
            f"{run.record['seconds']:.0f}\u00a0s, {run.record['steps']} steps, with the objective "
            f"{TRAINING['objective']}. Below are {len(learned.examples)} of the {len(val)} "
            "pictures that it did not learn from, from the best to the worst by their own mean "
            "IoU. The epoch whose network was kept was chosen on these pictures, so the score "
            "flatters a little.",
        ),
        legend=tuple(_legend(learned)),
        figures=_figures(learned),
        charts=tuple(chart for chart in learning_charts(history) if chart.y_title in CHARTS),
        tables=(_table(learned),),
        commands=_commands(learned, tour),
    )


def threshold_iou(dataset: Dataset) -> float:
    """IoU of cell or not by Otsu's threshold (1979) of each picture, over all pixels."""
    from skimage import filters

    otsu: Any = filters.threshold_otsu  # the library leaves its arguments without types
    shared = either = 0
    for sample in dataset:
        found = sample.image[..., 0] > otsu(sample.image[..., 0])
        cells = sample.mask > 0
        shared += int((found & cells).sum())
        either += int((found | cells).sum())
    return shared / max(either, 1)


def foreground_iou(counts: npt.NDArray[np.int64]) -> float:
    """IoU of anything but class 0, from the pixels (K, K) by true and by predicted class."""
    shared, total = counts[1:, 1:].sum(), counts.sum() - counts[0, 0]
    return float(shared / max(int(total), 1))


def _learn(tour: Tour) -> _Learned:
    data, folder = tour.folder / "cells", tour.folder / "cells-run"
    write_cells(data, seed=tour.seed, **PICTURES)
    run = train("unet", data, out=folder, seed=tour.seed, **TRAINING)
    val = open_again(run)
    scores = score_run(run, val)
    examples = gather_examples(run, val, SHOWN, scores=scores)
    return _Learned(data=data, run=run, val=val, scores=scores, examples=tuple(examples))


def _legend(learned: _Learned) -> list[tuple[str, str | None]]:
    shown = [each.labels for each in learned.examples]
    shown += [each.truth for each in learned.examples if each.truth is not None]
    return class_entries(shown, learned.val.classes, learned.val.palette)


def _figures(learned: _Learned) -> tuple[Figure, ...]:
    plain = [replace(example, entropy=None) for example in learned.examples]
    return example_figures(plain, learned.val.palette, sliders=False)


def _table(learned: _Learned) -> Table:
    confusion = learned.scores.confusion
    unet = [foreground_iou(confusion.counts), *confusion.intersection_over_union.tolist()]
    missing = [None] * len(learned.val.classes)
    rows = {"Otsu's threshold": [threshold_iou(learned.val), *missing], "U-Net": unet}
    return Table(
        columns=("method", "cell or not", *learned.val.classes),
        rows=tuple(
            (
                Cell(text=name),
                *(Cell(text=number(value), best=name == "U-Net") for value in values),
            )
            for name, values in rows.items()
        ),
        caption=f"IoU over all pixels of the {len(learned.val)} validation pictures.",
        notes=(
            f"Mean IoU of the U-Net over its {confusion.classes_counted} classes: "
            f"{confusion.mean_iou:.3f}. A threshold splits light from dark and cannot tell kinds.",
        ),
    )


def _commands(learned: _Learned, tour: Tour) -> tuple[Command, ...]:
    options = [
        word for name, value in TRAINING.items() for word in (f"--{name.replace('_', '-')}", value)
    ]
    seed = ("--seed", tour.seed) if tour.seed else ()
    picture = learned.data / "val" / "images" / f"{learned.examples[0].name}.png"
    commands: tuple[tuple[str, tuple[object, ...]], ...] = (
        (
            "The training of this page:",
            ("train", "unet", learned.data, *options, *seed, "--out", "segmint-cells"),
        ),
        (
            "A page of its own for the run, with all examples and scores:",
            ("report", learned.run.folder),
        ),
        ("What it says of a picture:", ("predict", learned.run.folder, picture)),
    )
    return tuple(Command(line=shell_line(words), purpose=purpose) for purpose, words in commands)
