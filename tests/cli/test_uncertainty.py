"""``segmint predict --uncertainty``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from segmint.datasets.synthetic import write_cells
from segmint.recipes.training import train

Succeeds = Callable[..., tuple[str, str]]
Refused = Callable[..., str]

SMALL: dict[str, Any] = {
    "dataset": "folder",
    "resize": 0,
    "crop": 32,
    "batch_size": 2,
    "epochs": 1,
    "augmentation": "none",
}
SIZES = ("a.features=2", "a.levels=1", "b.features=4", "b.levels=1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with made-up cells in ``data``, a run ``mutual`` and a run ``unet``."""
    folder = tmp_path_factory.mktemp("uncertainty")
    write_cells(folder / "data", train=2, val=2, height=64, width=72, cells=6)
    pair: dict[str, Any] = {"peers": ("a=unet", "b=unet"), "peer_options": SIZES}
    train("mutual", folder / "data", out=folder / "mutual", **SMALL, **pair)
    train("unet", folder / "data", out=folder / "unet", features=2, levels=1, **SMALL)
    return folder


@pytest.mark.parametrize("peer", [(), ("--peer", "a")])
def test_the_map_and_its_picture_are_written(
    trained: Path, here: Path, succeeds: Succeeds, peer: tuple[str, ...]
) -> None:
    images = trained / "data" / "val" / "images"
    call = ("predict", trained / "mutual", images, "--out", "out", "--uncertainty", *peer)
    succeeds(*call)
    results = sorted((here / "out").iterdir())
    assert len(results) == 2
    for folder in results:
        bits = tifffile.imread(folder / "uncertainty.tif")
        assert bits.shape == (64, 72)
        assert bits.dtype == np.dtype(np.float32)
        assert 0 <= bits.min() <= bits.max() <= 1  # two networks disagree by one bit at most
        with Pillow.open(folder / "uncertainty.png") as picture:
            assert picture.width > 1000
        assert json.loads((folder / "result.json").read_text())["options"]["uncertainty"] is True
        assert not (folder / "entropy.tif").exists()
    assert "skipped" in succeeds(*call)[0]


def test_it_is_written_only_where_it_is_asked_for(
    trained: Path, here: Path, succeeds: Succeeds
) -> None:
    images = trained / "data" / "val" / "images"
    succeeds("predict", trained / "mutual", images, "--out", "out")
    assert not list((here / "out").rglob("uncertainty*"))


def test_a_run_with_one_network_has_none(trained: Path, here: Path, refused: Refused) -> None:
    images = trained / "data" / "val" / "images"
    errors = refused(2, "predict", trained / "unet", images, "--out", "out", "--uncertainty")
    assert "a run of unet has one network" in errors
    assert "leave out --uncertainty" in errors
    assert not (here / "out").exists()
