"""What became of every slice when a data set was prepared."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from segmint.datasets.class_statistics import ClassStatistics
from segmint.runs import write_text

TABLE = "prepared.csv"

WRITTEN, LEFT_OUT, FAILED = "written", "left out", "failed"


@dataclass(frozen=True, kw_only=True)
class SliceRow:
    """What became of one slice, or of a patient of whom nothing could be used."""

    patient: int
    split: str
    slice: int | None
    outcome: str
    """``written``, ``left out`` or ``failed``."""
    reason: str = ""
    file: str = ""
    """The image, seen from the output folder."""
    pixels: tuple[int, ...] = ()
    """Of each class in the crop."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """All of what was prepared."""

    out: Path
    rows: tuple[SliceRow, ...]
    patients: int
    kept: int
    """Patients whose crops were there already."""
    failures: tuple[str, ...]
    """One sentence for each patient that failed, and for statistics that could not be taken."""
    statistics: ClassStatistics | None
    statistics_files: tuple[str, ...]
    """The images that the statistics are of, seen from the output folder."""
    absent_test_patients: tuple[int, ...]

    def counts(self) -> dict[str, int]:
        """Slices written to each split, then slices left out for each reason."""
        written = Counter(f"written, {row.split}" for row in self.rows if row.outcome == WRITTEN)
        left_out = Counter(
            f"left out, {row.reason}" for row in self.rows if row.outcome == LEFT_OUT
        )
        return dict(sorted(written.items(), reverse=True)) | dict(left_out.most_common())


def write_table(path: Path, rows: Iterable[SliceRow], classes: tuple[str, ...]) -> None:
    """Write a CSV with one line for each slice, whole or not at all.

    Raises:
        OutputError: when the file cannot be written.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["patient", "split", "slice", "outcome", "reason", "file", *classes])
    for row in rows:
        place = "" if row.slice is None else row.slice
        pixels = row.pixels or ("",) * len(classes)
        writer.writerow([row.patient, row.split, place, row.outcome, row.reason, row.file, *pixels])
    write_text(path, stream.getvalue())
