"""Photos for the benchmarks, made from those that scikit-image ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data


def photo(width: int, height: int) -> Image.Image:
    """A photo of exactly that size with detail at every scale: coffee, cat and astronaut, tiled.

    Small photos are one picture; larger ones are a mosaic, so that detail grows with the area.
    """
    tiles = [data.coffee(), data.chelsea(), data.astronaut()]
    if width * height <= 400_000:
        return Image.fromarray(tiles[0]).resize((width, height), Image.Resampling.LANCZOS)
    side = 500
    columns, rows = -(-width // side), -(-height // side)
    canvas = Image.new("RGB", (columns * side, rows * side))
    generator = np.random.default_rng(0)
    for row in range(rows):
        for column in range(columns):
            tile = tiles[generator.integers(len(tiles))]
            if generator.integers(2):
                tile = tile[:, ::-1]
            resized = Image.fromarray(np.ascontiguousarray(tile)).resize((side, side))
            canvas.paste(resized, (column * side, row * side))
    return canvas.crop((0, 0, width, height))


def write_photo(folder: Path, width: int, height: int) -> Path:
    """The photo as a PNG file."""
    path = folder / f"photo-{width}x{height}.png"
    photo(width, height).save(path)
    return path
