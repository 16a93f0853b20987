from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from segmint.datasets.synthetic import write_cells
from segmint.recipes.run import Run
from segmint.recipes.training import train

SMALL_TRAINING: dict[str, Any] = {
    "dataset": "folder",
    "features": 2,
    "levels": 1,
    "resize": 0,
    "crop": 32,
    "batch_size": 2,
    "epochs": 2,
    "objective": "cross_entropy + dice",
    "augmentation": "none",
}


@pytest.fixture(scope="session")
def cells_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two epochs on three small pictures, validated on five."""
    folder = tmp_path_factory.mktemp("cells")
    write_cells(folder / "data", train=3, val=5, height=64, width=72, cells=6)
    return train("unet", folder / "data", out=folder / "run", **SMALL_TRAINING)


@pytest.fixture
def cells(cells_run: Run) -> Path:
    """The data set that it learned from."""
    return cells_run.folder.with_name("data")
