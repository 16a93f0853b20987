"""Made-up hearts: three cardiac magnetic resonance sequences with a truth that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.datasets.myops_layout import LABEL_VALUES, sequence_file, truth_file
from segmint.datasets.synthetic.heart_anatomy import TISSUES, Anatomy, Codes, tissue_map
from segmint.datasets.synthetic.heart_contrast import (
    SEQUENCES,
    block_mean,
    coil_field,
    measured,
    signal_table,
)
from segmint.datasets.volumes import write_volume
from segmint.errors import UsageError

SPACING = (0.73, 0.73, 12.0)
"""Millimeters between rows, columns and slices."""

SMALLEST_SIDE = 160
"""Pixels that hold the heart and some of what is around it."""

_SAMPLES = 3
_LABELS = {**LABEL_VALUES, "papillary muscle": LABEL_VALUES["blood pool"]}


@dataclass(frozen=True, kw_only=True, eq=False)
class Heart:
    """The sequences of one heart, which lie on each other exactly, and their truth."""

    volumes: Mapping[str, npt.NDArray[np.int16]]
    """``C0`` (balanced steady state), ``T2`` and ``LGE``; each (H, W, slices), base first."""

    labels: npt.NDArray[np.int16]
    """(H, W, slices) with the label values of MyoPS 2020, 0 outside."""

    spacing: tuple[float, float, float] = SPACING
    """Millimeters between rows, columns and slices."""

    @property
    def affine(self) -> npt.NDArray[np.float64]:
        """(4, 4) from indices to millimeters: rows run to the back, columns to the left."""
        affine = np.zeros((4, 4))
        affine[1, 0], affine[0, 1], affine[2, 2] = (
            -self.spacing[0],
            -self.spacing[1],
            -self.spacing[2],
        )
        affine[:3, 3] = (120.0, 90.0, 40.0)
        affine[3, 3] = 1
        return affine


def draw_heart(
    *,
    slices: int = 8,
    size: tuple[int, int] = (240, 240),
    noise: float = 46.0,
    bias: float = 0.3,
    seed: int = 0,
) -> Heart:
    """A short-axis heart with edema and a scar in three magnetic resonance sequences.

    The left ventricle is a ring of muscle around blood; a sector of the ring is edema and holds a
    scar that begins at the blood. Beside it lie a right ventricle, fat, lungs, the liver and the
    chest wall. In balanced steady state (C0) blood is bright, in T2 the edema, in late gadolinium
    enhancement (LGE) the scar. Contrast is plausible and not measured. The truth is smooth and the
    noise is strong, so what looks at pixels alone errs. Slices at the base have no scar.

    Args:
        slices: 1 or more, evenly from base to apex.
        size: rows and columns, each 160 or more.
        noise: standard deviation of the Rician noise; muscle is at 70 to 135, blood at up to 320.
        bias: strength of the smooth field that multiplies each sequence, 0 to 1.
        seed: the same seed gives the same heart.

    Raises:
        UsageError: for a value out of range.

    Example:
        >>> heart = draw_heart(slices=2, size=(160, 160))
        >>> heart.volumes["LGE"].shape, np.unique(heart.labels).tolist()
        ((160, 160, 2), [0, 200, 500, 600, 1220, 2221])
    """
    _check(slices, size, noise, bias)
    generator = np.random.default_rng(seed)
    anatomy, signals = Anatomy.draw(generator), signal_table(generator)
    fields = [coil_field(size, bias, generator) for _ in SEQUENCES]
    labels = np.empty((*size, slices), np.int16)
    volumes = {sequence: np.empty((*size, slices), np.int16) for sequence in SEQUENCES}
    for index in range(slices):
        codes = tissue_map(anatomy, (index + 0.5) / slices, size, SPACING[0], _SAMPLES)
        labels[..., index] = _truth(codes)
        for number, sequence in enumerate(SEQUENCES):
            volumes[sequence][..., index] = measured(
                codes,
                signals[:, number],
                factor=_SAMPLES,
                noise=noise,
                field=fields[number],
                generator=generator,
            )
    return Heart(volumes=volumes, labels=labels)


def write_hearts(
    folder: str | Path, *, patients: Iterable[int] = range(101, 126), seed: int = 0, **drawing: Any
) -> None:
    """Write made-up hearts in the layout of MyoPS 2020, as NIfTI.

    Args:
        folder: gets ``train25/myops_training_101_C0.nii.gz``, ``_DE`` and ``_T2``, and
            ``train25_myops_gd/myops_training_101_gd.nii.gz``.
        patients: their numbers.
        seed: with the number of a patient it decides the heart, whoever else is written.
        drawing: ``slices``, ``size``, ``noise`` and ``bias`` of :func:`draw_heart`.

    Raises:
        UsageError: for a value out of range.
        OutputError: when a file cannot be written.
    """
    for patient in patients:
        heart = draw_heart(seed=_seed_of(seed, patient), **drawing)
        for sequence in SEQUENCES:
            path = Path(folder) / sequence_file(patient, sequence)
            write_volume(path, heart.volumes[sequence], heart.affine)
        write_volume(Path(folder) / truth_file(patient), heart.labels, heart.affine)


def _check(slices: int, size: tuple[int, int], noise: float, bias: float) -> None:
    if slices < 1:
        raise UsageError(f"slices is {slices}, accepted is 1 or more")
    if min(size) < SMALLEST_SIDE:
        raise UsageError(
            f"size is {size[0]}x{size[1]}, accepted is {SMALLEST_SIDE}x{SMALLEST_SIDE} or more"
        )
    if not noise >= 0:
        raise UsageError(f"noise is {noise}, accepted is 0 or more")
    if not 0 <= bias <= 1:
        raise UsageError(f"bias is {bias}, accepted is 0 to 1")


def _truth(codes: Codes) -> npt.NDArray[np.int16]:
    """The label with the most samples in each pixel."""
    values = sorted({0, *_LABELS.values()})
    index_of = np.array([values.index(_LABELS.get(tissue, 0)) for tissue in TISSUES], np.uint8)
    samples = index_of[codes]
    shares = [block_mean(samples == index, _SAMPLES) for index in range(len(values))]
    return np.asarray(np.take(values, np.argmax(shares, axis=0)), np.int16)


def _seed_of(seed: int, patient: int) -> int:
    return int(np.random.SeedSequence([seed, patient]).generate_state(1)[0])
