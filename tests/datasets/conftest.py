from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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
