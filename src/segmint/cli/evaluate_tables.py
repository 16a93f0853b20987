"""What ``segmint evaluate`` prints of label maps and masks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from segmint.cli import console
from segmint.cli.wrapping import print_wrapped
from segmint.metrics import MATCHINGS

if TYPE_CHECKING:
    from segmint.cli.evaluate import EvaluateOptions
    from segmint.metrics import ScoreRow, ScoreTable

_RELABELLED, _AS_GIVEN = "relabelled", "as given"
_TITLES = {
    "best_overlap_all": "best-overlap mIoU, all",
    "best_overlap_fine": "best-overlap mIoU, fine",
    "best_overlap_coarse": "best-overlap mIoU, coarse",
    "rand_index": "Rand index (PRI)",
    "variation_of_information": "VOI (bits, lower is better)",
    "adjusted_rand_index": "adjusted Rand index",
    "normalized_mutual_information": "NMI",
    "mean_iou": "mean IoU",
    "mean_dice": "mean Dice",
}
_MOST_NOTES = 3
_MOST_CLASSES = 40
"""Of more classes, which are rather the numbers of objects, ``--json`` has the scores."""


def print_scores(
    table: ScoreTable, data: str, options: EvaluateOptions, names: Sequence[str]
) -> None:
    """The tables, a legend of their words, and the notes."""
    several = any(image.n_annotators > 1 for image in table.images)
    lines: dict[str, dict[str, ScoreRow]] = {}
    for row in table.rows():
        lines.setdefault(row.name.removesuffix("_as_given"), {})[_treatment(row)] = row
    treatments = [
        treatment
        for treatment in (_RELABELLED, _AS_GIVEN)
        if any(treatment in line for line in lines.values())
    ]
    console.table(
        ["score", *treatments, "mean over"],
        [
            [
                _title(name, several),
                *[f"{line[t].value:.4f}" if t in line else "" for t in treatments],
                _averaged(next(iter(line.values()))),
            ]
            for name, line in lines.items()
        ],
    )
    console.result()
    _print_classes(table, names)
    for word, meaning in _legend(table, treatments, several, data, options):
        print_wrapped(word.ljust(12), meaning)
    for note in _shortened(table.notes):
        print_wrapped("note".ljust(12), in_options(note))
    console.result()


def in_options(message: str) -> str:
    """A message for callers of functions in the words of the command line."""
    return message.replace("ignore_index=None", "--ignore-index none")


def _print_classes(table: ScoreTable, names: Sequence[str]) -> None:
    """IoU and Dice of each class, where there are so few that they can be read."""
    rows = table.as_dict()["classes"]
    if not 0 < len(rows) <= _MOST_CLASSES:
        return
    titles = dict(enumerate(names))
    cells = [
        [titles.get(row["class"], str(row["class"])), _written(row["iou"]), _written(row["dice"])]
        for row in rows
    ]
    console.table(["class", "IoU", "Dice"], cells)
    console.result()


def _written(score: float | None) -> str:
    """A class that is in neither prediction nor truth has no score."""
    return "" if score is None else f"{score:.4f}"


def _treatment(row: ScoreRow) -> str:
    return _AS_GIVEN if "labels as given" in row.protocol else _RELABELLED


def _title(name: str, several: bool) -> str:
    title = _TITLES.get(name, name.replace("_", " "))
    return title if several else title.removesuffix(", all")


def _averaged(row: ScoreRow) -> str:
    """What the protocol of a score says that it is a mean over."""
    return " of ".join(re.findall(r"mean over ([^,]+)", row.protocol)) or "pixels"


def _legend(
    table: ScoreTable,
    treatments: Sequence[str],
    several: bool,
    data: str,
    options: EvaluateOptions,
) -> Iterable[tuple[str, str]]:
    """The words of the table with their meaning."""
    if _RELABELLED in treatments:
        neighbors = "/".join(str(n) for n in sorted({image.neighbors for image in table.images}))
        yield (
            _RELABELLED,
            f"each connected piece is a segment ({neighbors} neighbors), as published",
        )
    if _AS_GIVEN in treatments:
        yield _AS_GIVEN, "each label is one segment, wherever its pixels are"
    if several:
        yield "all", "segments of every annotator"
        yield "fine", "segments of the annotator who drew most of them in an image"
        yield "coarse", "segments of the annotator who drew fewest of them in an image"
    if table.confusion is not None:
        yield "matching", f"{table.matching}: {MATCHINGS[table.matching]}"
    if options.ignored is not None and not several:
        yield "ignored", f"pixels whose mask value is {options.ignored}"
    yield "data", data


def _shortened(notes: Sequence[str]) -> Iterable[str]:
    yield from notes[:_MOST_NOTES]
    if len(notes) > _MOST_NOTES:
        yield f"{len(notes) - _MOST_NOTES} more notes: --json prints all"
