"""A small data set with a test split."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow


def write_scenes(root: Path, splits: Mapping[str, int]) -> None:
    """Pictures (40, 48, 3) with a bright disk and a bar, and their masks, in a table of pairs."""
    rows = []
    for split, count in splits.items():
        for index in range(count):
            name = f"{split}{index}"
            picture, mask = _scene(len(rows))
            for folder, pixels in (("images", picture), ("masks", mask)):
                (root / folder).mkdir(parents=True, exist_ok=True)
                Pillow.fromarray(pixels).save(root / folder / f"{name}.png")
            rows.append((f"images/{name}.png", f"masks/{name}.png", split))
    with (root / "pairs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "mask", "split"), *rows])
    (root / "classes.txt").write_text("night\ndisk\nbar\n")


def _scene(seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:40, :48]
    mask = np.zeros((40, 48), np.uint8)
    center = generator.integers(12, 28, 2)
    mask[(rows - center[0]) ** 2 + (columns - center[1]) ** 2 < 60] = 1
    mask[:, 40:44] = 2
    picture = np.array([[20, 20, 20], [200, 120, 40], [40, 160, 220]])[mask]
    noisy = picture + generator.normal(0, 8, picture.shape)
    return noisy.clip(0, 255).astype(np.uint8), mask


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six scenes to learn from, two to validate on, three to test on; nothing writes there."""
    root = tmp_path_factory.mktemp("scenes") / "scenes"
    write_scenes(root, {"train": 6, "val": 2, "test": 3})
    return root
