"""The scores of a run as tables: by class, and the best and the worst images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from segmint.images import to_hex
from segmint.metrics import Confusion
from segmint.metrics.protocol_scores import ProtocolScores
from segmint.recipes.scoring import RunScores
from segmint.reports.page import Bar, Bars, Cell, Table
from segmint.reports.run_uncertainty import PROTOCOL

MOST_IMAGES = 5
"""Images at each end of their table."""


def class_table(scores: RunScores) -> Table:
    """IoU and Dice of each class, with its pixels."""
    total = max(sum(row["pixels"] for row in scores.rows()), 1)
    rows = [
        (
            Cell(text=row["class"]),
            Cell(text=f"{row['pixels']:,}"),
            Cell(text=f"{100 * row['pixels'] / total:.1f} %"),
            Cell(text=number(row["iou"])),
            Cell(text=number(row["dice"])),
        )
        for row in scores.rows()
    ]
    means = scores.means()
    rows.append(
        (
            Cell(text="mean"),
            Cell(text=""),
            Cell(text=""),
            Cell(text=number(means["mean_iou"]), best=True),
            Cell(text=number(means["mean_dice"]), best=True),
        )
    )
    return Table(
        columns=("class", "pixels", "share", "IoU", "Dice"),
        rows=tuple(rows),
        caption="Scores of each class, 0 to 1, higher is better.",
        notes=(
            "One confusion matrix over all pixels of all images at their own size; pixels without "
            "a label are not counted.",
            f"Means are over the {scores.confusion.classes_counted} of {len(scores.classes)} "
            "classes that occur in truth or prediction; a class that is in neither has no score "
            "(-).",
        ),
    )


def class_bars(scores: RunScores, palette: npt.NDArray[np.uint8]) -> Bars:
    """The IoU of each class that occurs as a bar.

    Args:
        scores: of a split.
        palette: uint8 (K, 3), the colors of the classes.
    """
    known = [
        (row["class"], row["iou"], palette[number])
        for number, row in enumerate(scores.rows())
        if row["iou"] is not None
    ]
    return Bars(
        caption="IoU of each class, 0 to 1",
        bars=tuple(
            Bar(label=name, text=f"{iou:.3f}", share=iou, color=to_hex(tuple(color.tolist())))
            for name, iou, color in known
        ),
    )


def field_tables(scores: RunScores) -> tuple[Table, ...]:
    """The scores of the data set's field, a table for each of its protocols."""
    return tuple(
        _field_table(found)
        for found in scores.protocols
        if found.name != PROTOCOL and found.evidence
    )


def image_table(scores: RunScores, names: Sequence[str]) -> Table | None:
    """The images with the highest and the lowest scores; None where none has a score.

    Args:
        scores: of a split.
        names: of its images, in its order.
    """
    known = [
        (name, confusion)
        for name, confusion in zip(names, scores.images.values(), strict=True)
        if not math.isnan(confusion.mean_iou)
    ]
    if not known:
        return None
    ranked = sorted(known, key=lambda each: -each[1].mean_iou)
    shown = list(enumerate(ranked, start=1))
    if len(shown) > 2 * MOST_IMAGES:
        shown = [*shown[:MOST_IMAGES], *shown[-MOST_IMAGES:]]
    return Table(
        columns=("image", "rank", "mean IoU", "accuracy"),
        rows=tuple(_image_row(rank, name, confusion) for rank, (name, confusion) in shown),
        caption=_image_caption(len(shown), len(ranked)),
        notes=(
            "The mean IoU of an image is over the classes that occur in it, so that the mean of "
            "this column is not the mean IoU above.",
        ),
    )


def number(value: float | None) -> str:
    """Three digits, or a dash where there is no score."""
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"


def _field_table(found: ProtocolScores) -> Table:
    kinds = {kind.name: kind for kind in found.protocol.scores}
    rows = found.rows()
    return Table(
        columns=("score", "value", "better"),
        rows=tuple(
            (
                Cell(text=kinds[row.name].title if row.name in kinds else row.name),
                Cell(text=number(row.value)),
                Cell(text=kinds[row.name].better if row.name in kinds else ""),
            )
            for row in rows
        ),
        caption=f"Scores of the field: {found.protocol.summary}.",
        notes=(*dict.fromkeys(f"{row.protocol}." for row in rows), *found.notes),
    )


def _image_row(rank: int, name: str, confusion: Confusion) -> tuple[Cell, ...]:
    return (
        Cell(text=name),
        Cell(text=str(rank)),
        Cell(text=number(confusion.mean_iou)),
        Cell(text=number(confusion.accuracy)),
    )


def _image_caption(shown: int, ranked: int) -> str:
    if shown == ranked:
        return "Images, the best first."
    return f"The {MOST_IMAGES} best and the {MOST_IMAGES} worst of {ranked:,} images."
