"""Options of preparing MyoPS 2020, in a file that imports nothing heavy."""

from __future__ import annotations

import re
from dataclasses import dataclass

from segmint.errors import UsageError
from segmint.options import Options, option

TEST_PATIENTS = "109,114,117,120,122"
"""As published; the other 20 train."""


@dataclass(frozen=True, kw_only=True)
class MyopsOptions(Options):
    """Which slices, how they are cut, and what the class statistics are taken from."""

    slices: str = option("all-classes", choices=("all-classes", "any"))
    """Slices that hold all four classes, or any of them."""
    size: int = option(160, low=16, high=4096)
    """Side of the crop in pixels, about the center of mass of the four classes in the slice."""
    test_patients: str = option(TEST_PATIENTS)
    """Numbers of the patients for testing, with commas between them, or none; others train."""
    format: str = option("npz", choices=("npz", "nifti"))
    """One file a crop, or NIfTI files in folders images, masks and regions."""
    statistics_from: str = option("train", choices=("train", "all"))
    """Patients whose slices give mean, deviation and share of each class; published is all."""
    statistics_slices: int = option(10, low=1)
    """Slices with all classes that are drawn for the statistics."""
    seed: int = option(42, low=0, high=2**32 - 1)
    """Of drawing these slices."""
    ignore_positions: bool = option(False)
    """Take volumes of a patient to lie on each other though their headers place them apart."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch(r"none|\d+(\s*,\s*\d+)*", self.test_patients, re.ASCII):
            raise UsageError(
                f"--test-patients is {self.test_patients!r}, accepted are numbers with commas "
                f"between them such as {TEST_PATIENTS}, or none"
            )

    @property
    def test_numbers(self) -> frozenset[int]:
        """The patients for testing."""
        return frozenset(int(number) for number in re.findall(r"\d+", self.test_patients))
