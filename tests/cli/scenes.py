"""A small data set of scenes for the tests of recipes that learn from masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pillow


def scene(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture (40, 48, 3) with a bright disk and a bar, and its mask."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:40, :48]
    mask = np.zeros((40, 48), np.uint8)
    center = generator.integers(12, 28, 2)
    mask[(rows - center[0]) ** 2 + (columns - center[1]) ** 2 < 60] = 1
    mask[:, 40:44] = 2
    picture = np.array([[20, 20, 20], [200, 120, 40], [40, 160, 220]])[mask]
    noisy = picture + generator.normal(0, 8, picture.shape)
    return noisy.clip(0, 255).astype(np.uint8), mask


def write_scenes(root: Path, classes: str, count: int = 8) -> None:
    """Scenes in the layout ``folder``, with the text of ``classes.txt``."""
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    (root / "classes.txt").write_text(classes)
    for seed in range(count):
        picture, mask = scene(seed)
        Pillow.fromarray(picture).save(root / "images" / f"{seed}.png")
        Pillow.fromarray(mask).save(root / "masks" / f"{seed}.png")
