from __future__ import annotations

import base64
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from segmint.reports.pictures import LEAST_SIDE, embed, embed_drawn, fitted_into


def test_noise_that_takes_more_than_a_byte_a_pixel_is_embedded() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    content = base64.b64decode(embed(noise).uri.partition(",")[2])
    assert len(content) > 480 * 640
    assert Pillow.open(io.BytesIO(content)).size == (640, 480)


@given(st.integers(1, 300), st.integers(0, 1000))
def test_a_picture_of_few_colors_keeps_every_pixel(colors: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    palette = generator.integers(0, 256, (colors, 3)).astype(np.uint8)
    picture = palette[generator.integers(0, colors, (30, 40))]
    uri = embed_drawn(picture).uri
    distinct = len(np.unique(picture.reshape(-1, 3), axis=0))
    assert uri.startswith("data:image/png" if distinct <= 256 else "data:image/jpeg")
    if distinct <= 256:
        found = Pillow.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")
        assert np.array_equal(np.array(found), picture)


def test_a_compact_photo_is_smaller() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3)).astype(np.uint8)
    assert len(embed(noise, compact=True).uri) < len(embed(noise).uri) / 2


@given(st.integers(100, 10**7), st.integers(1, 1000))
def test_what_is_fitted_is_as_large_as_it_may_be(most: int, longest: int) -> None:
    """With a length that grows with the area, the next larger try would not fit."""
    tried: list[int] = []

    def draw(side: int) -> int:
        tried.append(side)
        return 7 * side * side

    found = fitted_into(draw, lambda length: length, most=most, longest_side=longest)
    side = tried[-1]
    assert found == 7 * side * side
    assert found <= most or side <= LEAST_SIDE
    assert side == longest or 7 * (side / 0.9) ** 2 > most or side <= LEAST_SIDE
    assert len(tried) <= 3
