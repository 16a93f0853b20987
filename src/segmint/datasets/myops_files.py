"""The files of MyoPS 2020: which belong to a patient, and whether they fit each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.datasets.myops_layout import (
    CHANNELS,
    IMAGE_FOLDER,
    LABEL_VALUES,
    SEQUENCE_NAMES,
    TRUTH_FOLDER,
    sequence_file,
    truth_file,
)
from segmint.datasets.prepared_folder import is_folder
from segmint.errors import InputError
from segmint.images.image import Image
from segmint.images.reading import read_image

TRUTH = "gd"
LARGEST_VALUE = 1e30
"""Squares of larger values leave float64 within reach of overflow, and no scanner gives them."""

_NAME = re.compile(r"myops_training_(\d+)_(C0|DE|T2|gd)\.nii(?:\.gz)?", re.ASCII)
_DEPTH = 3
_LARGEST_SHIFT = 1e-2
"""Of an affine, in millimeters."""
_ROUNDING = 1e-3


@dataclass(frozen=True)
class PatientFiles:
    """What there is of one patient."""

    number: int
    files: dict[str, list[Path]] = field(default_factory=dict)
    """``C0``, ``DE``, ``T2`` and ``gd`` to the files of that name, each once when all is well."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Patient:
    """The volumes of one patient, which lie on each other."""

    number: int
    channels: Mapping[str, npt.NDArray[Any]]
    """``LGE``, ``T2`` and ``C0``; each (slices, H, W)."""
    labels: npt.NDArray[np.int32]
    """(slices, H, W), values of ``LABEL_VALUES`` and 0."""
    spacing: tuple[float, float]
    """Millimeters between rows and between columns."""
    affine: npt.NDArray[np.float64]
    """(4, 4) from row, column and slice to millimeters."""
    sources: tuple[str, ...]
    """Names of the files, channels first."""


def find_root(source: str | Path) -> Path:
    """The folder that holds ``train25``: the source, one around it, or one inside it.

    Raises:
        InputError: when there is none, or more than one.
    """
    source = Path(source)
    if not is_folder(source):
        raise InputError(
            f"{source} is no folder, accepted is the folder of MyoPS 2020 with {IMAGE_FOLDER} and "
            f"{TRUTH_FOLDER} in it: check the path"
        )
    if source.resolve().name == IMAGE_FOLDER:
        return source.resolve().parent
    patterns = ["/".join(["*"] * depth + [IMAGE_FOLDER]) for depth in range(_DEPTH)]
    found = [path.parent for pattern in patterns for path in sorted(source.glob(pattern))]
    found = [path for path in found if is_folder(path / IMAGE_FOLDER)]
    if not found:
        raise InputError(
            f"{source} holds no folder {IMAGE_FOLDER}, accepted is the folder of MyoPS 2020 with "
            f"{IMAGE_FOLDER} and {TRUTH_FOLDER} in it: unpack the data there or name its folder"
        )
    if len(found) > 1:
        raise InputError(
            f"{source} holds {len(found)} folders with {IMAGE_FOLDER} in them, accepted is one: "
            f"name {found[0]} or {found[1]}"
        )
    return found[0]


def find_patients(root: Path) -> list[PatientFiles]:
    """Every patient of whom there is any file, by number.

    Raises:
        InputError: when there is no file of that naming.
    """
    patients: dict[int, PatientFiles] = {}
    for folder in (root / IMAGE_FOLDER, root / TRUTH_FOLDER):
        for path in sorted(folder.iterdir()) if is_folder(folder) else ():
            match = _NAME.fullmatch(path.name)
            if match and (match[2] == TRUTH) == (folder.name == TRUTH_FOLDER):
                number = int(match[1])
                patient = patients.setdefault(number, PatientFiles(number))
                patient.files.setdefault(match[2], []).append(path)
    if not patients:
        raise InputError(
            f"{root / IMAGE_FOLDER} holds no file such as {Path(sequence_file(101, 'C0')).name}, "
            "accepted is MyoPS 2020 as it is published: unpack the data again"
        )
    return [patients[number] for number in sorted(patients)]


def read_patient(patient: PatientFiles, *, check_positions: bool = True) -> Patient:
    """Read all volumes of a patient and check that they belong together.

    Args:
        patient: from :func:`find_patients`.
        check_positions: refuse volumes whose headers place them apart.

    Raises:
        InputError: for a file that is missing, there twice or damaged, volumes that differ in shape
            or place, values that are not finite or too large, and labels that are not known.
    """
    paths = {name: _only(patient, name) for name in (*SEQUENCE_NAMES.values(), TRUTH)}
    volumes = {name: _read_volume(path) for name, path in paths.items()}
    truth = volumes[TRUTH]
    for name, volume in volumes.items():
        _check_fits(patient, (paths[name], volume), (paths[TRUTH], truth), check_positions)
    assert truth.spacing is not None and truth.affine is not None
    return Patient(
        number=patient.number,
        channels={
            channel: _slices(volumes[SEQUENCE_NAMES[channel]].pixels) for channel in CHANNELS
        },
        labels=_labels(patient, paths[TRUTH], _slices(truth.pixels)),
        spacing=(truth.spacing[-2], truth.spacing[-1]),
        affine=truth.affine,
        sources=tuple(path.name for path in paths.values()),
    )


def _only(patient: PatientFiles, name: str) -> Path:
    files = patient.files.get(name, [])
    if len(files) == 1:
        return files[0]
    channel = next((each for each, file in SEQUENCE_NAMES.items() if file == name), None)
    expected = sequence_file(patient.number, channel) if channel else truth_file(patient.number)
    if files:
        raise InputError(
            f"patient {patient.number} has {len(files)} {name} files, accepted is one: keep "
            f"{files[0]} or {files[1]}"
        )
    raise InputError(
        f"patient {patient.number} has no {'truth' if channel is None else name + ' file'}, "
        f"accepted is {expected}: copy it again or remove the patient's other files"
    )


def _read_volume(path: Path) -> Image:
    image = read_image(path, pages="stack")
    if image.affine is None or image.channels != 1:
        raise InputError(
            f"{path} is no volume of one value a voxel, accepted is NIfTI (X, Y, Z): copy it again"
        )
    # NaN fails every comparison.
    wrong = ~(np.abs(image.pixels, dtype=np.float64) < LARGEST_VALUE)
    if wrong.any():
        raise InputError(
            f"{path} holds {np.count_nonzero(wrong)} values that are NaN, infinite or beyond "
            f"{LARGEST_VALUE:g}, accepted are finite numbers: look at its values and at the "
            "scaling (scl_slope, scl_inter) in its header"
        )
    return image


def _slices(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(slices, H, W), also of a volume with one slice."""
    return pixels[..., 0] if pixels.ndim == 4 else pixels[np.newaxis, ..., 0]


def _check_fits(
    patient: PatientFiles, given: tuple[Path, Image], truth: tuple[Path, Image], positions: bool
) -> None:
    (path, volume), (truth_path, like) = given, truth
    if volume.volume_shape != like.volume_shape:
        raise InputError(
            f"patient {patient.number}: {path.name} has shape {volume.volume_shape} and "
            f"{truth_path.name} {like.volume_shape}, accepted are volumes of one shape: copy both "
            "again or remove the patient's files"
        )
    assert volume.affine is not None and like.affine is not None
    lengths = (*(like.volume_shape or ()), 1, 1)[:3]
    corners = np.array([[0, 0, 0, 1], [*(length - 1 for length in lengths), 1]])
    apart = float(np.abs((volume.affine - like.affine) @ corners.T).max())
    if positions and not apart <= _LARGEST_SHIFT:
        raise InputError(
            f"patient {patient.number}: the headers of {path.name} and {truth_path.name} place the "
            f"same voxel {apart:.3g} mm apart, accepted is {_LARGEST_SHIFT} mm: register them, or "
            "pass --ignore-positions if they lie on each other all the same"
        )


def _labels(patient: PatientFiles, path: Path, values: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Whole numbers that are all known."""
    known = sorted({0, *LABEL_VALUES.values()})
    # Scaling in a header leaves values a rounding error beside the whole number.
    values = np.where(np.abs(values - np.rint(values)) < _ROUNDING, np.rint(values), values)
    unknown, counts = np.unique(values[~np.isin(values, known)], return_counts=True)
    if unknown.size:
        raise InputError(
            f"patient {patient.number}: {path.name} holds the value {unknown[0]:g} in {counts[0]} "
            f"voxels, accepted are {', '.join(map(str, known))}: correct the truth or remove the "
            "patient's files"
        )
    return values.astype(np.int32)
