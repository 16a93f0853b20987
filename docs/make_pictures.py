"""Draw the pictures of the README from photographs that scikit-image ships and a made-up heart.

Run: ``python docs/make_pictures.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

import segmint
from segmint.datasets.myops import prepare_myops
from segmint.datasets.prepared_folder import prepared_images
from segmint.datasets.synthetic import write_hearts
from segmint.images import read_image
from segmint.reports.panels import panels_png

FOLDER = Path(__file__).parent / "pictures"
HEIGHT = 300
GAP = 8
STROKE = 5


def resized(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture at the height of a row."""
    width = round(picture.shape[1] * HEIGHT / picture.shape[0])
    return np.asarray(Image.fromarray(picture).resize((width, HEIGHT), Image.Resampling.LANCZOS))


def beside(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """A row of pictures with white gaps."""
    gap = np.full((HEIGHT, GAP, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (resized(picture), gap)]
    return np.concatenate(parts[:-1], axis=1)


def below(rows: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Rows of pictures, cut to the narrowest."""
    width = min(row.shape[1] for row in rows)
    gap = np.full((GAP, width, 3), 255, np.uint8)
    parts = [part for row in rows for part in (row[:, :width], gap)]
    return np.concatenate(parts[:-1])


def save(name: str, picture: NDArray[np.uint8]) -> None:
    """Write a picture as JPEG."""
    FOLDER.mkdir(exist_ok=True)
    Image.fromarray(picture).save(FOLDER / name, quality=88, optimize=True)


def rgb(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A photo as RGB."""
    return photo if photo.ndim == 3 else np.repeat(photo[..., None], 3, axis=2)


def draw_photos() -> None:
    """Photos above, segmentations with the defaults below."""
    photos = [data.astronaut(), data.coffee(), data.coins(), data.immunohistochemistry()]
    results = [segmint.segment(photo).overlay(photo) for photo in photos]
    save("photos.jpg", below([beside([rgb(photo) for photo in photos]), beside(results)]))


def draw_components() -> None:
    """One fit cut into three numbers of components."""
    photo = data.coffee()
    fit = segmint.segment(photo)
    cuts = [fit.with_components(count).overlay(photo) for count in (3, 8, 20)]
    save("components.jpg", beside([photo, *cuts]))


def draw_scribbles() -> None:
    """Strokes on a photo, what they mark, and the clustering of the same photo."""
    photo = data.coffee()
    strokes = {
        0: [(slice(20, 25), slice(60, 180)), (slice(60, 340), slice(540, 545))],
        1: [(slice(60, 65), slice(230, 380)), (slice(60, 200), slice(310, 315))],
        2: [(slice(340, 345), slice(180, 420)), (slice(180, 300), slice(110, 115))],
    }
    colors = {0: (0, 114, 178), 1: (230, 159, 0), 2: (0, 158, 115)}
    scribbles = np.full(photo.shape[:2], 255, np.uint8)
    drawn = photo.copy()
    for name, places in strokes.items():
        for place in places:
            scribbles[place] = name
            drawn[place] = colors[name]
    result = segmint.segment(photo, scribbles=scribbles)
    learned = segmint.segment(photo, "clustering", components=6)
    save("scribbles.jpg", beside([drawn, result.overlay(photo), learned.overlay(photo)]))


def draw_heart() -> None:
    """Three sequences of a made-up heart, what deepSVG finds in them, and the truth."""
    with tempfile.TemporaryDirectory() as place:
        write_hearts(Path(place) / "hearts", patients=range(101, 106), seed=0)
        folder = Path(place) / "prepared"
        prepare_myops(Path(place) / "hearts", folder, test_patients="105")
        test = prepared_images(folder, "test")
        image = read_image(test[len(test) // 2])
        found = segmint.segment(image, "deepsvg", mu_data=str(folder / "mu_data.csv"), lam=1.0)
    FOLDER.mkdir(exist_ok=True)
    picture = panels_png(image, found.labels, image.mask, names=found.names)
    (FOLDER / "heart.png").write_bytes(picture)


if __name__ == "__main__":
    draw_photos()
    draw_components()
    draw_scribbles()
    draw_heart()
