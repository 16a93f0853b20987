"""``segmint evaluate``: every score of predictions against ground truth."""

from __future__ import annotations

import csv
import re
import shutil
import textwrap
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from segmint.cli import console
from segmint.cli.evaluate_run import check_csv
from segmint.cli.evaluate_run import command as evaluate_run_command
from segmint.cli.parameters import signature
from segmint.errors import InputError, SegmintError, UsageError
from segmint.images import read_image
from segmint.images.masks import pair_files, read_masks, read_prediction
from segmint.methods.method import OF_THE_DATA_SET
from segmint.methods.storage import read_record
from segmint.metrics import MATCHINGS, Matching, aggregate, evaluate
from segmint.metrics.evaluation import Relabel
from segmint.options import Options, option
from segmint.recipes.run_folder import is_finished, is_unfinished
from segmint.runs import atomic_path

if TYPE_CHECKING:
    from segmint.metrics import ScoreRow, Scores, ScoreTable

_RELABEL: Mapping[str, Relabel] = {"both": "both", "yes": True, "no": False}


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(Options):
    """What is counted and how the scores are shown."""

    ignore_index: str = option("255")
    """Value of the masks that is not counted, or none to count every value."""
    relabel: str = option("both", choices=tuple(_RELABEL))
    """Score each connected piece of a label as a segment (yes), each label (no), or both."""
    matching: str | None = option(None, choices=tuple(MATCHINGS))
    """How labels are given classes for IoU, Dice and accuracy; if not given none where a run
    learned them from masks, else hungarian."""
    csv: str | None = option(None)
    """File for the scores of each image."""
    overwrite: bool = option(False)
    """Write over the file of --csv if it is there."""
    json: bool = option(False)
    """Print the scores as JSON, with those of each image and each class."""
    quiet: bool = option(False)
    """Print no progress."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch(r"none|-?\d+", self.ignore_index):
            raise UsageError(
                f"--ignore-index is {self.ignore_index!r}, accepted is a whole number such as 255, "
                "or none"
            )

    @property
    def ignored(self) -> int | None:
        """The value that is not counted, or None."""
        return None if self.ignore_index == "none" else int(self.ignore_index)


_HELP = """Score predictions against ground truth.

Files belong together by name, cat.png with cat.mat or cat_mask.png; masks without a prediction
are left alone. Several annotators in one Berkeley .mat file are all used.

With a folder that 'segmint train' wrote, 'segmint evaluate RUN DATA --split test' scores the run on
a data set; 'segmint evaluate RUN --help' shows how.

Examples: 'segmint evaluate segmint-out masks', 'segmint evaluate labels.png truth.png',
'segmint evaluate predictions BSDS500/data/groundTruth/test --csv scores.csv'.

Args:
    predictions: a label map, a folder of them, or what 'segmint segment' wrote.
    masks: a mask, or a folder of them.
"""


_NO_SCORES: Mapping[str, Any] = {
    "n_images": 0,
    "scores": [],
    "classes": [],
    "notes": [],
    "images": [],
}


def command(arguments: list[str]) -> Callable[..., int]:
    """The command: for label maps and masks, or for a run and a data set."""
    folder = Path(arguments[0]) if arguments else None
    if folder is not None and (is_finished(folder) or is_unfinished(folder)):
        return evaluate_run_command()

    def compare(predictions: str, masks: str, /, *, chosen: Mapping[str, Any]) -> int:
        return _evaluate(predictions, masks, EvaluateOptions(**chosen))

    return signature(compare, summary=_HELP, chosen=("Evaluation", EvaluateOptions))


def _evaluate(predictions: str, masks: str, options: EvaluateOptions) -> int:
    check_csv(options.csv, overwrite=options.overwrite)
    pairs = pair_files(predictions, masks)
    known = _classes_of_run(pairs[0][1])
    options = replace(options, matching=options.matching or ("none" if known else "hungarian"))
    start = time.perf_counter()
    scores, failures = _score_files(pairs, options, known)
    seconds = (time.perf_counter() - start) / len(pairs)
    table = aggregate(scores) if scores else None
    if options.json:
        console.result_json(
            {
                "predictions": predictions,
                "masks": masks,
                "ignore_index": options.ignored,
                "relabel": options.relabel,
                "matching": options.matching,
                **(table.as_dict() if table else _NO_SCORES),
                "seconds_per_image": round(seconds, 4),
                "failures": failures,
            }
        )
    elif table:
        names = _class_names(pairs[0][2])
        _print_scores(table, f"{predictions} against {masks}", options, names)
    for failure in failures:
        console.complain(failure)
    if table and options.csv is not None:
        _write_csv(Path(options.csv), table.image_rows())
    if table and not options.json:
        console.result(_last_line(len(scores), len(failures), seconds, options.csv))
    return 1 if failures else 0


def _score_files(
    pairs: Sequence[tuple[str, Path, Path]], options: EvaluateOptions, known: int
) -> tuple[list[Scores], list[str]]:
    """The scores of the pairs that can be read and fit, and why the others do not."""
    scores: list[Scores] = []
    failures: list[str] = []
    try:
        with console.progress(len(pairs), quiet=options.quiet) as advance:
            for name, prediction, mask in pairs:
                try:
                    scores.append(_score_pair(name, prediction, mask, options, known))
                except (InputError, MemoryError) as error:
                    failures.append(_reason(prediction, mask, error))
                    advance(name, note="failed")
                else:
                    advance(name)
    except KeyboardInterrupt:
        raise SegmintError(
            f"stopped after {len(scores)} of {len(pairs)} images: means of a part would mislead, "
            "so none are shown; run the same command again"
        ) from None
    return scores, failures


def _score_pair(
    name: str, prediction: Path, mask: Path, options: EvaluateOptions, known: int
) -> Scores:
    truths = read_masks(mask, ignore_index=options.ignored)
    if known and options.matching == "none":
        _check_classes(truths, mask, options.ignored, known)
    return evaluate(
        read_prediction(prediction),
        truths,
        ignore_index=options.ignored,
        relabel=_RELABEL[options.relabel],
        matching=cast("Matching", options.matching),
        name=name,
    )


def _classes_of_run(prediction: Path) -> int:
    """How many classes the run had that made a prediction; 0 where none is known."""
    try:
        record = read_record(prediction.parent)
    except InputError:
        return 0
    return len(record.get("names", {})) if record.get("order") == OF_THE_DATA_SET else 0


def _check_classes(
    truths: Sequence[NDArray[np.int32]], mask: Path, ignored: int | None, known: int
) -> None:
    """Refuse masks whose values are not the numbers of the classes that the run learned.

    Raises:
        InputError: says how the run itself reads them.
    """
    values = sorted({int(value) for truth in truths for value in np.unique(truth)})
    counted = [value for value in values if value != ignored]
    beyond = [value for value in counted if not 0 <= value < known]
    if beyond or (known == 2 and ignored in values and len(counted) < 2):
        shown = ", ".join(map(str, values[:4])) + (", ..." if len(values) > 4 else "")
        raise InputError(
            f"{mask} holds the values {shown}, where the run that made the predictions knows the "
            f"classes 0 to {known - 1}, accepted are masks of these numbers: score the run by "
            "'segmint evaluate RUN DATA', which reads masks as in training, or pass --matching"
        )


def _reason(prediction: Path, mask: Path, error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"{prediction}: not enough memory to score it: reduce the prediction and its mask"
    text = _in_options(str(error))
    named = str(prediction) in text or str(mask) in text
    return text if named else f"{prediction}: {text}"


def _in_options(message: str) -> str:
    """A message for callers of functions in the words of the command line."""
    return message.replace("ignore_index=None", "--ignore-index none")


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _last_line(scored: int, failed: int, seconds: float, file: str | None) -> str:
    counts = f"{scored} image{'' if scored == 1 else 's'} scored"
    if failed:
        counts += f", {failed} failed"
    place = f"the scores of each are in {file}" if file else "--csv FILE keeps the scores of each"
    return f"{counts}, {seconds:.3f} s an image: {place}"


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


def _class_names(mask: Path) -> tuple[str, ...]:
    """Names of the classes 0, 1, ... of a prepared file; other masks have none."""
    return read_image(mask).class_names if mask.suffix.lower() == ".npz" else ()


def _print_scores(
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
        _print_wrapped(word.ljust(12), meaning)
    for note in _shortened(table.notes):
        _print_wrapped("note".ljust(12), _in_options(note))
    console.result()


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


def _print_wrapped(word: str, meaning: str) -> None:
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    indent = " " * len(word)
    for line in textwrap.wrap(
        meaning,
        max(width, 40),
        initial_indent=word,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        console.result(line)
