from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def picture() -> np.ndarray:
    """uint8 (32, 40, 3): a bright disc and a slanted ground, with noise."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :40]
    disc = (rows - 14) ** 2 + (columns - 16) ** 2 < 81
    ground = rows + columns / 2 > 36
    base = np.full((32, 40, 3), (60.0, 90.0, 160.0))
    base[ground] = (90, 150, 70)
    base[disc] = (220, 180, 90)
    return np.clip(base + generator.normal(0, 8, base.shape), 0, 255).astype(np.uint8)
