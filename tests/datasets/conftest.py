from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.sample import Sample
from segmint.datasets.synthetic import write_hearts

PATIENTS = (101, 102, 109)


@pytest.fixture(scope="session")
def all_hearts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small made-up patients in the layout of MyoPS; not to be changed."""
    folder = tmp_path_factory.mktemp("hearts") / "MyoPS 2020 Dataset"
    write_hearts(folder, patients=PATIENTS, slices=4, size=(170, 166), seed=3)
    return folder


@pytest.fixture
def hearts(all_hearts: Path, tmp_path: Path) -> Path:
    """A copy of the patients that a test may spoil."""
    return Path(shutil.copytree(all_hearts, tmp_path / "hearts"))


@dataclass(frozen=True)
class _Held:
    """Reads samples that are already there."""

    samples: tuple[Sample, ...]

    def __call__(self, pair: Pair) -> Sample:
        assert pair.page is not None
        return self.samples[pair.page]


def _dataset_of(samples: Sequence[Sample], *, classes: int = 4) -> Dataset:
    pairs = [
        Pair(image=Path(f"{number}.png"), mask=None, name=str(number), page=number)
        for number in range(len(samples))
    ]
    return Dataset(
        name="held",
        root=Path(),
        split="train",
        classes=tuple("abcdefgh"[:classes]),
        palette=np.zeros((classes, 3), np.uint8),
        pairs=tuple(pairs),
        read=_Held(tuple(samples)),
        channels=samples[0].image.shape[2] if samples else 3,
    )


@pytest.fixture(scope="session")
def dataset_of() -> Callable[..., Dataset]:
    """A data set of samples made in code."""
    return _dataset_of
