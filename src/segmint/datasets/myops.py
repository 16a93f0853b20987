"""MyoPS 2020 prepared: crops of the slices, split by patient, and statistics of the classes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from segmint.datasets.class_statistics import class_statistics
from segmint.datasets.ledger import Ledger
from segmint.datasets.myops_crops import NORMALIZATION, Crop, crops_of, write_crop
from segmint.datasets.myops_files import PatientFiles, find_patients, find_root, read_patient
from segmint.datasets.myops_layout import (
    CHANNELS,
    CLASSES,
    IMAGE_FOLDER,
    LABEL_VALUES,
    TRUTH_FOLDER,
)
from segmint.datasets.myops_options import MyopsOptions
from segmint.datasets.preparation import (
    FAILED,
    LEFT_OUT,
    TABLE,
    WRITTEN,
    Preparation,
    SliceRow,
    write_table,
)
from segmint.datasets.prepared_folder import SPLITS, image_folder
from segmint.errors import InputError, UsageError
from segmint.images.class_means import write_class_means
from segmint.images.image import Image
from segmint.images.masks import read_masks
from segmint.images.reading import read_image

MEANS, DEVIATIONS, SHARES = "mu_data.csv", "sigma_data.csv", "pi_data.csv"
"""Files of the class statistics; deviations are standard deviations, not variances."""

_CROPS = re.compile(r"myops_(\d+)_\d+\.(?:npz|nii\.gz)", re.ASCII)


def prepare_myops(
    source: str | Path,
    out: str | Path,
    *,
    overwrite: bool = False,
    advance: Callable[[int, str], None] | None = None,
    **options: Any,
) -> Preparation:
    """Cut the slices of MyoPS 2020 to crops about the heart, and measure the classes.

    The region is where the truth has one of four classes: blood pool, myocardium, edema, scar. A
    crop is square about the center of mass of the region of its slice; each channel (LGE, T2, C0)
    has mean 0 and standard deviation 1 in the crop. ``mu_data.csv``, ``sigma_data.csv`` and
    ``pi_data.csv`` hold mean, standard deviation and share of each class over some slices, of
    training patients unless asked otherwise. Nothing in ``source`` is changed.

    A patient whose files do not fit is left out and named, the others are prepared. Called again
    with the same options it goes on where it was stopped, and does again whose files have changed.
    What was made earlier goes only when there is something to take its place.

    Args:
        source: folder of the data set, or one that contains it.
        out: folder for ``train``, ``test``, the statistics, ``prepared.csv`` and ``dataset.json``.
        overwrite: prepare all anew though ``out`` was made with other options.
        advance: called after each patient with its number and what is to be said about it.
        options: fields of :class:`segmint.datasets.myops_options.MyopsOptions`.

    Raises:
        UsageError: for an option out of range, or an ``out`` that holds other things.
        InputError: when there is no such data set, or none of it can be used.
        OutputError: when a file cannot be written.

    Source: Schwab, Mayr and Haltmeier 2024; Zhuang 2019 and Li et al. 2023 for the data.
    """
    chosen = MyopsOptions.from_mapping(options)
    root, folder = find_root(source), Path(out)
    _check_place(root, folder)
    patients = find_patients(root)
    ledger = Ledger.open(
        folder,
        _head(root, chosen),
        overwrite=overwrite,
        crops=_CROPS,
        tables=(TABLE, MEANS, DEVIATIONS, SHARES),
    )
    work = _Work(folder, chosen, ledger)
    for patient in patients:
        note = work.add(patient)
        if advance is not None:
            advance(patient.number, note)
    work.check_anything()
    return work.finish(patients)


class _Work:
    """The patients so far."""

    def __init__(self, folder: Path, options: MyopsOptions, ledger: Ledger) -> None:
        self.folder, self.options, self.ledger = folder, options, ledger
        self.rows: list[SliceRow] = []
        self.failures: list[str] = []
        self.kept = 0

    def add(self, patient: PatientFiles) -> str:
        """Prepare one patient, unless that is done; what is to be said about it."""
        paths = [path for files in patient.files.values() for path in files]
        rows = self.ledger.finished(patient.number, paths)
        if rows is not None:
            self.kept += 1
            self.rows += rows
            return "kept"
        try:
            rows = list(self._prepare(patient))
        except (InputError, MemoryError) as error:
            self._fail(patient, error)
            return "failed"
        self.ledger.add(patient.number, paths, rows)
        self.rows += rows
        written = sum(row.outcome == WRITTEN for row in rows)
        return f"{written} of {len(rows)} slices"

    def _prepare(self, patient: PatientFiles) -> Iterable[SliceRow]:
        volumes = read_patient(patient, check_positions=not self.options.ignore_positions)
        # Earlier crops go only now that the volumes are known to be whole.
        self.ledger.begin(patient.number)
        split = self._split(patient.number)
        all_classes = self.options.slices == "all-classes"
        for crop in crops_of(volumes, size=self.options.size, all_classes=all_classes):
            paths: tuple[Path, ...] = ()
            if crop.image is not None:
                paths = self._paths(split, f"myops_{patient.number}_{crop.slice_index:02d}")
                write_crop(paths, crop, volumes)
            yield self._row(patient.number, split, crop, paths)

    def _row(self, number: int, split: str, crop: Crop, paths: Sequence[Path]) -> SliceRow:
        return SliceRow(
            patient=number,
            split=split,
            slice=crop.slice_index,
            outcome=WRITTEN if paths else LEFT_OUT,
            reason=crop.reason,
            file=paths[0].relative_to(self.folder).as_posix() if paths else "",
            pixels=crop.counts,
        )

    def _fail(self, patient: PatientFiles, error: Exception) -> None:
        reason = str(error)
        if isinstance(error, MemoryError):
            reason = f"patient {patient.number}: not enough memory for its volumes"
        earlier = self.ledger.fail(patient.number)
        if earlier:
            reason += "; the patient's earlier crops stay as they were"
        self.failures.append(reason)
        self.rows += earlier
        split = self._split(patient.number)
        self.rows.append(
            SliceRow(patient=patient.number, split=split, slice=None, outcome=FAILED, reason=reason)
        )

    def _split(self, number: int) -> str:
        return "test" if number in self.options.test_numbers else "train"

    def _paths(self, split: str, name: str) -> tuple[Path, ...]:
        images = image_folder(self.folder, split, self.options.format)
        if self.options.format == "npz":
            return (images / f"{name}.npz",)
        folders = (images, images.with_name("masks"), images.with_name("regions"))
        return tuple(folder / f"{name}.nii.gz" for folder in folders)

    def check_anything(self) -> None:
        """Refuse to end with nothing.

        Raises:
            InputError: when no crop was written.
        """
        if any(row.outcome == WRITTEN for row in self.rows):
            return
        self.ledger.discard()
        if all(row.outcome == FAILED for row in self.rows):
            others = f" (and {len(self.failures) - 1} more)" if len(self.failures) > 1 else ""
            raise InputError(f"no patient can be used{others}: {self.failures[0]}")
        wanted = "all of" if self.options.slices == "all-classes" else "any of"
        raise InputError(
            f"no slice holds {wanted} the classes {', '.join(CLASSES)}: pass --slices any, or look "
            "at the truth"
        )

    def finish(self, patients: Sequence[PatientFiles]) -> Preparation:
        """Measure the classes and write the tables."""
        drawn = self._drawn()
        statistics = class_statistics(map(self._read, drawn)) if drawn else None
        if statistics is None:
            for name in (MEANS, DEVIATIONS, SHARES):
                (self.folder / name).unlink(missing_ok=True)
            self.failures.append(
                f"no slice for --statistics-from {self.options.statistics_from} holds all classes, "
                f"so {MEANS} is not written: pass --statistics-from all or other --test-patients"
            )
        else:
            write_class_means(self.folder / MEANS, statistics.means)
            write_class_means(self.folder / DEVIATIONS, statistics.deviations)
            write_class_means(self.folder / SHARES, statistics.shares)
        write_table(self.folder / TABLE, self.rows, CLASSES)
        files = tuple(row.file for row in drawn)
        self.ledger.close(splits=self._splits(), statistics_files=files)
        numbers = {patient.number for patient in patients}
        return Preparation(
            out=self.folder,
            rows=tuple(self.rows),
            patients=len(patients),
            kept=self.kept,
            failures=tuple(self.failures),
            statistics=statistics,
            statistics_files=files,
            absent_test_patients=tuple(sorted(self.options.test_numbers - numbers)),
        )

    def _drawn(self) -> list[SliceRow]:
        """Slices with all classes for the statistics, without return and in order."""
        fitting = [
            row
            for row in self.rows
            if row.outcome == WRITTEN
            and all(row.pixels)
            and (row.split == "train" or self.options.statistics_from == "all")
        ]
        count = min(self.options.statistics_slices, len(fitting))
        generator = np.random.default_rng(self.options.seed)
        if not count:
            return []
        places = generator.choice(len(fitting), count, replace=False)
        return [fitting[place] for place in sorted(places.tolist())]

    def _read(self, row: SliceRow) -> Image:
        """A crop that was written."""
        image = read_image(self.folder / row.file)
        if image.mask is not None:
            return image
        path = image_folder(self.folder, row.split, "nifti").with_name("masks")
        (mask,) = read_masks(path / Path(row.file).name)
        return dataclasses.replace(image, mask=mask, class_names=CLASSES, channel_names=CHANNELS)

    def _splits(self) -> dict[str, list[int]]:
        used = [row for row in self.rows if row.outcome != FAILED]
        return {
            split: sorted({row.patient for row in used if row.split == split}) for split in SPLITS
        }


def _head(root: Path, options: MyopsOptions) -> dict[str, Any]:
    return {
        "dataset": "myops",
        "source": str(root),
        "format_of_files": options.format,
        "options": options.resolved(),
        "classes": CLASSES,
        "channels": CHANNELS,
        "label_values": {name: LABEL_VALUES[name] for name in CLASSES},
        "normalization": NORMALIZATION,
        "statistics": {
            MEANS: "mean",
            DEVIATIONS: "standard deviation, of the population",
            SHARES: "share of the pixels with a class",
        },
    }


def _check_place(root: Path, folder: Path) -> None:
    """Keep crops out of the folders of the data set."""
    try:
        place, root = folder.resolve(), root.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"{str(folder)!r} is no path of a folder: name another") from error
    inside = any(place.is_relative_to(root / name) for name in (IMAGE_FOLDER, TRUTH_FOLDER))
    if place == root or inside:
        raise UsageError(
            f"{folder} is where the data set itself lies, which stays as it is: name another folder"
        )
