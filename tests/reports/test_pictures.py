from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image as Pillow

from segmint.reports.pictures import embed


def test_noise_that_takes_more_than_a_byte_a_pixel_is_embedded() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    content = base64.b64decode(embed(noise).uri.partition(",")[2])
    assert len(content) > 480 * 640
    assert Pillow.open(io.BytesIO(content)).size == (640, 480)
