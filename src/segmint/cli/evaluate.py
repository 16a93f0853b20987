"""``segmint evaluate``: every score of predictions against ground truth."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from segmint.cli import console
from segmint.cli.evaluate_protocols import Files, check_files, names_in, score_files
from segmint.cli.evaluate_run import check_csv
from segmint.cli.evaluate_run import command as evaluate_run_command
from segmint.cli.evaluate_tables import in_options, print_scores
from segmint.cli.parameters import signature
from segmint.cli.protocol_options import ProtocolOptions
from segmint.cli.protocol_tables import print_protocols, protocols_as_json, with_protocols
from segmint.errors import InputError, SegmintError, UsageError
from segmint.images.masks import pair_files_with_masks, read_masks, read_prediction
from segmint.methods.method import OF_THE_DATA_SET
from segmint.methods.storage import read_record
from segmint.metrics import MATCHINGS, Matching, aggregate, evaluate
from segmint.metrics.evaluation import Relabel
from segmint.options import Options, option
from segmint.recipes.run_folder import is_finished, is_unfinished
from segmint.runs import atomic_path

if TYPE_CHECKING:
    from segmint.metrics import Scores, ScoreTable
    from segmint.metrics.protocol_scores import ProtocolScores

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
are left alone, predictions without a mask are told. Several annotators in one Berkeley .mat file
are all used.

With a folder that 'segmint train' wrote, 'segmint evaluate RUN DATA --split test' scores the run on
a data set; 'segmint evaluate RUN --help' shows how.

Examples: 'segmint evaluate segmint-out masks', 'segmint evaluate labels.png truth.png',
'segmint evaluate predictions BSDS500/data/groundTruth/test --csv scores.csv',
'segmint evaluate predictions masks --protocol surfaces --spacing 1.5,1.5,3'.

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

    def compare(
        predictions: str,
        masks: str,
        /,
        *,
        chosen: Mapping[str, Any],
        field: Mapping[str, Any],
    ) -> int:
        return _evaluate(predictions, masks, EvaluateOptions(**chosen), ProtocolOptions(**field))

    return signature(
        compare,
        summary=_HELP,
        chosen=("Evaluation", EvaluateOptions),
        field=("Scores of a field", ProtocolOptions),
    )


def _evaluate(
    predictions: str, masks: str, options: EvaluateOptions, field: ProtocolOptions
) -> int:
    check_csv(options.csv, overwrite=options.overwrite)
    pairs, missing = pair_files_with_masks(predictions, masks)
    classes = _classes_of_run(pairs[0][1])
    options = replace(options, matching=options.matching or ("none" if classes else "hungarian"))
    if field != ProtocolOptions():
        images = [Files(name=name, prediction=found, mask=mask) for name, found, mask in pairs]
        check_files(images, field, classes if options.matching == "none" else ())
    start = time.perf_counter()
    scores, failures = _score_files(pairs, options, len(classes))
    failures += [
        f"{name} has no mask in {masks} and is not scored: add its mask" for name in missing
    ]
    table = aggregate(scores) if scores else None
    protocols: tuple[ProtocolScores, ...] = ()
    if table and field.asked:
        protocols, unfit = _score_protocols(table, pairs, options, field, classes)
        failures += unfit
    seconds = (time.perf_counter() - start) / len(pairs)
    if options.json:
        console.result_json(
            {
                "predictions": predictions,
                "masks": masks,
                "ignore_index": options.ignored,
                "relabel": options.relabel,
                "matching": options.matching,
                **(table.as_dict() if table else _NO_SCORES),
                **_in_json(table, protocols),
                "seconds_per_image": round(seconds, 4),
                "failures": failures,
            }
        )
    elif table:
        names = names_in(pairs[0][2])
        print_scores(table, f"{predictions} against {masks}", options, names)
        print_protocols(protocols)
    for failure in failures:
        console.complain(failure)
    if table and options.csv is not None:
        _write_csv(Path(options.csv), with_protocols(table.image_rows(), protocols))
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


def _classes_of_run(prediction: Path) -> tuple[str, ...]:
    """Names of the classes of the run that made a prediction; empty where none is known."""
    try:
        record = read_record(prediction.parent)
    except InputError:
        return ()
    return tuple(record.get("names", {}).values()) if record.get("order") == OF_THE_DATA_SET else ()


def _score_protocols(
    table: ScoreTable,
    pairs: Sequence[tuple[str, Path, Path]],
    options: EvaluateOptions,
    field: ProtocolOptions,
    classes: Sequence[str],
) -> tuple[tuple[ProtocolScores, ...], list[str]]:
    """The scores of the field, of the images in the table, labels matched as there."""
    files = {name: (prediction, mask) for name, prediction, mask in pairs}
    matched: list[dict[int, int] | None] = [None] * len(table.images)
    if table.matchings and options.matching != "none":
        matched = [*table.matchings]
    return score_files(
        [
            Files(
                name=image.name,
                prediction=files[image.name][0],
                mask=files[image.name][1],
                matching=matching,
            )
            for image, matching in zip(table.images, matched, strict=True)
        ],
        field,
        ignore_index=options.ignored,
        class_names=classes if options.matching == "none" else (),
    )


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


def _in_json(table: ScoreTable | None, protocols: Sequence[ProtocolScores]) -> dict[str, Any]:
    """What protocols add to the answer; nothing where none was asked for."""
    if table is None or not protocols:
        return {}
    return {
        "images": with_protocols(table.image_rows(), protocols),
        "protocols": protocols_as_json(protocols),
    }


def _reason(prediction: Path, mask: Path, error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"{prediction}: not enough memory to score it: reduce the prediction and its mask"
    text = in_options(str(error))
    named = str(prediction) in text or str(mask) in text
    return text if named else f"{prediction}: {text}"


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
