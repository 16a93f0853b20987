"""The scores of recipes that learn classes, of every network that a run has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmint.comparisons.cell import WHOLE, Answer
from segmint.comparisons.component_cell import file_name
from segmint.datasets.dataset import Dataset
from segmint.images import write_labels
from segmint.recipes.run import Run
from segmint.recipes.scoring import RunScores, score_peers

LABELS = "labels"
"""Folder of predicted classes in that of a cell."""
MOST_KEPT = 200
"""Images of which predictions are kept for figures; of larger splits they are made again."""


def score_classes(
    run: Run,
    dataset: Dataset,
    *,
    keep: Path | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> tuple[dict[str, Answer], float]:
    """Answers by the name of the network, and seconds an image.

    Args:
        run: that learned the classes of the data set.
        dataset: what is scored.
        keep: folder for the predicted classes; None keeps none.
        advance: told how many images are done.
    """

    def tell(index: int, labels: Mapping[str, NDArray[np.int32]]) -> None:
        if keep is not None:
            for name, predicted in labels.items():
                place = answer_folder(keep, name if run.peers else WHOLE)
                stem = place / file_name(dataset.pairs[index])
                write_labels(stem, predicted, colors=dataset.palette)
        advance(index + 1)

    scores = score_peers(run, dataset, protocols=dataset.protocols, keep=tell)
    answers = {
        (name if run.peers else WHOLE): _answer(found, dataset) for name, found in scores.items()
    }
    return answers, next(iter(scores.values())).seconds


def answer_folder(folder: Path, answer: str) -> Path:
    """Where the predicted classes of a network lie in the folder of all of a cell."""
    return folder / file_stem(answer) if answer != WHOLE else folder


def file_stem(answer: str) -> str:
    """The name of a network as that of a folder."""
    return "".join(letter if letter.isalnum() or letter in "._+-" else "-" for letter in answer)


def _answer(scores: RunScores, dataset: Dataset) -> Answer:
    means, of_field = scores.image_means(), scores.image_protocol_values()
    names = [pair.name for pair in dataset.pairs]
    return Answer(
        scores={**scores.means(), **scores.protocol_values()},
        images={
            name: {**values, **of_field.get(image, {})}
            for name, (image, values) in zip(names, means.items(), strict=True)
        },
        classes={
            str(row["class"]): {"iou": row["iou"], "dice": row["dice"]} for row in scores.rows()
        },
    )
