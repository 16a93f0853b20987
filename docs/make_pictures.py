"""Draw the pictures of README and site: photographs of scikit-image, and pictures made in code.

Run: ``python docs/make_pictures.py [NAME ...]``, NAME being ``photos``, ``components``,
``scribbles``, ``heart``, ``presets``, ``cells``, ``membranes``, ``tissues``, ``crop`` or
``comparison``; all together take about five minutes.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

import segmint
from segmint import datasets
from segmint.cli import run as run_command
from segmint.datasets.myops import prepare_myops
from segmint.datasets.prepared_folder import prepared_images
from segmint.datasets.synthetic import write_cells, write_hearts, write_membranes
from segmint.images import Image as Picture
from segmint.images import read_image
from segmint.reports.panels import panels_png

FOLDER = Path(__file__).parent / "pictures"
HEIGHT = 300
GAP = 8
STROKE = 5
WHITE = (255, 255, 255)
COLORS = np.array([(0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), WHITE], np.uint8)
"""Of numbers 0 to 3 (Okabe and Ito, 2008), and of what lies outside."""


def resized(picture: NDArray[np.uint8], *, smooth: bool = True) -> NDArray[np.uint8]:
    """The picture at the height of a row."""
    width = round(picture.shape[1] * HEIGHT / picture.shape[0])
    way = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(picture).resize((width, HEIGHT), way))


def beside(pictures: list[NDArray[np.uint8]], *, smooth: bool = True) -> NDArray[np.uint8]:
    """A row of pictures with white gaps."""
    gap = np.full((HEIGHT, GAP, 3), 255, np.uint8)
    drawn = [resized(rgb(picture), smooth=smooth) for picture in pictures]
    parts = [part for picture in drawn for part in (picture, gap)]
    return np.concatenate(parts[:-1], axis=1)


def below(rows: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Rows of pictures, cut to the narrowest."""
    width = min(row.shape[1] for row in rows)
    gap = np.full((GAP, width, 3), 255, np.uint8)
    parts = [part for row in rows for part in (row[:, :width], gap)]
    return np.concatenate(parts[:-1])


def save(name: str, picture: NDArray[np.uint8], *, quality: int = 82) -> None:
    """Write a picture as JPEG."""
    FOLDER.mkdir(exist_ok=True)
    Image.fromarray(picture).save(FOLDER / name, quality=quality, optimize=True)


def rgb(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A photo as RGB."""
    if photo.ndim == 3 and photo.shape[2] == 3:
        return photo
    return np.repeat(photo.reshape(*photo.shape[:2], 1), 3, axis=2)


def grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values from their least to their greatest, black to white."""
    low, high = np.percentile(values, (1, 99))
    return np.asarray(np.clip((values - low) / (high - low), 0, 1) * 255, np.uint8)


def about(image: Picture) -> tuple[slice, slice]:
    """The square about the region of an image."""
    assert image.region is not None
    places = np.nonzero(image.region)
    low, high = min(each.min() for each in places), max(each.max() for each in places)
    return (slice(low - 4, high + 5),) * 2


def painted(labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers 0 to 3 in color, all others white."""
    known = (labels >= 0) & (labels < len(COLORS) - 1)
    return COLORS[np.where(known, labels, len(COLORS) - 1)]


def draw_photos() -> None:
    """Photos above, segmentations with the defaults below."""
    photos = [data.astronaut(), data.coffee(), data.coins(), data.immunohistochemistry()]
    results = [segmint.segment(photo).overlay(photo) for photo in photos]
    save(
        "photos.jpg", below([beside([rgb(photo) for photo in photos]), beside(results)]), quality=60
    )


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


def prepared_hearts(place: Path) -> Path:
    """Made-up hearts, prepared."""
    write_hearts(place / "hearts", patients=range(101, 106), seed=0)
    prepare_myops(place / "hearts", place / "prepared", test_patients="105")
    return place / "prepared"


def middle_slice(folder: Path) -> Picture:
    """A slice of the patient that the means do not know."""
    test = prepared_images(folder, "test")
    return read_image(test[len(test) // 2])


def draw_heart() -> None:
    """Three sequences of a made-up heart, what deepSVG finds in them, and the truth."""
    with tempfile.TemporaryDirectory() as place:
        folder = prepared_hearts(Path(place))
        image = middle_slice(folder)
        found = segmint.segment(image, "deepsvg", mu_data=str(folder / "mu_data.csv"), lam=1.0)
    FOLDER.mkdir(exist_ok=True)
    picture = panels_png(image, found.labels, image.mask, names=found.names)
    (FOLDER / "heart.png").write_bytes(picture)


def draw_tissues() -> None:
    """Tissues by EM without and with known means, by deepG and deepSVG, and what is undecided."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = prepared_hearts(Path(temporary))
        image = middle_slice(folder)
        known = {"mu_data": str(folder / "mu_data.csv")}
        em = [
            segmint.segment(image, "em-gmm", components=4, init="random"),
            segmint.segment(image, "em-gmm", **known),
            segmint.segment(image, "em-svgmm", **known),
        ]
        deep = [segmint.segment(image, name, **known, lam=1.0) for name in ("deepg", "deepsvg")]
    assert image.mask is not None
    assert deep[1].entropy is not None
    place = about(image)
    truth = painted(image.mask[place])
    save("em.jpg", beside([*(painted(fit.labels[place]) for fit in em), truth], smooth=False))
    undecided = np.asarray(deep[1].entropy[place] / 2 * 255, np.uint8)
    rows = [painted(fit.labels[place]) for fit in deep]
    save("deep.jpg", beside([*rows, truth, rgb(undecided)], smooth=False))


def draw_crop() -> None:
    """A slice as it is measured, and what preparing makes of it."""
    with tempfile.TemporaryDirectory() as place:
        folder = prepared_hearts(Path(place))
        image = middle_slice(folder)
        name = "train25/myops_training_105_DE.nii.gz"
        whole = read_image(Path(place) / "hearts" / name).pixels
    assert image.mask is not None
    channels = [grey(image.pixels[..., index]) for index in range(3)]
    middle = grey(whole[len(whole) // 2, ..., 0])
    save("crop.jpg", beside([middle, *channels, painted(image.mask)]))


def draw_presets() -> None:
    """The defaults of clustering, and its published settings, on a small photo."""
    photo = np.asarray(Image.fromarray(data.coffee()).resize((240, 160), Image.Resampling.LANCZOS))
    results = [
        segmint.segment(photo, "clustering", preset=preset)
        for preset in (None, "seed004", "kim2020")
    ]
    save("presets.jpg", beside([photo, *(found.overlay(photo) for found in results)]))


CELLS: Mapping[str, Any] = {
    "dataset": "folder",
    "resize": 0,
    "crop": 96,
    "augmentation": "flip",
    "learning_rate": 0.005,
    "batch_size": 4,
    "epochs": 10,
    "steps_per_epoch": 50,
}
SMALL: Mapping[str, Any] = {"features": 12, "levels": 3}


def draw_cells() -> None:
    """One made-up picture of cells, and what three systems learn to say of it."""
    with tempfile.TemporaryDirectory() as place:
        cells = Path(place) / "cells"
        write_cells(cells, train=24, val=6, cells=42)
        runs = {
            name: segmint.train(name, cells, out=Path(place) / name, **CELLS, **SMALL)
            for name in ("unet", "unet-rmi")
        }
        peers = {
            "peers": ["deeplab=smp:deeplabv3plus/resnet18", "unet"],
            "peer_options": {"unet": SMALL},
        }
        mutual = segmint.train("mutual", cells, out=Path(place) / "mutual", **CELLS, **peers)
        sample = datasets.open("folder", cells, split="val")[0]
        answers = mutual.answers(sample.image)
        ensemble = segmint.Run(mutual.folder, peer="ensemble").segment(sample.image)
        found = {name: run.predict(sample.image) for name, run in runs.items()}
    assert ensemble.uncertainty is not None
    shown = [rgb(sample.image), painted(sample.mask)]
    for name, labels in found.items():
        save(f"{name}.jpg", beside([*shown, painted(labels)], smooth=False))
    both = [painted(answers[name]) for name in ("deeplab", "unet")]
    undecided = np.asarray(np.clip(ensemble.uncertainty, 0, 1) * 255, np.uint8)
    save("mutual.jpg", beside([*shown, *both, rgb(undecided)], smooth=False))


def draw_membranes() -> None:
    """A made-up slice, its membranes, and what a small U-Net finds."""
    with tempfile.TemporaryDirectory() as place:
        write_membranes(Path(place) / "isbi", slices=15, seed=0)
        small = {"features": 8, "levels": 3, "crop": 128, "learning_rate": 0.01, "epochs": 6}
        run = segmint.train(
            "isbi-unet", Path(place) / "isbi", out=Path(place) / "run", preset="small", **small
        )
        sample = datasets.open("isbi2012", Path(place) / "isbi", split="val")[0]
        probabilities = run.segment(sample.image).probabilities
    assert probabilities is not None
    inside = np.asarray(probabilities[1] * 255, np.uint8)
    truth = np.asarray(sample.mask * 255, np.uint8)
    save("membranes.jpg", beside([rgb(sample.image), rgb(truth), rgb(inside)]))


def draw_comparison() -> None:
    """The figure of a short comparison."""
    learning = ["training.batch_size=4", "network.features=12", "network.levels=3"]
    sizes = ["transform.resize=0", "transform.crop=96"]
    words = ["compare", "unet", "unet-rmi", "--seeds", "2", "--steps", "40", "--quiet"]
    with tempfile.TemporaryDirectory() as place:
        write_cells(Path(place) / "cells")
        out = Path(place) / "comparison"
        data = ["--data", f"{place}/cells", "--out", str(out)]
        if run_command([*words, *data, "--set", *learning, *sizes]):
            raise SystemExit("the comparison failed")
        figure = Image.open(out / "figure.png").convert("RGB")
    small = figure.resize((figure.width * 6 // 10, figure.height * 6 // 10), Image.Resampling.BOX)
    save("comparison.jpg", np.asarray(small), quality=72)


DRAWN = {
    "photos": draw_photos,
    "components": draw_components,
    "scribbles": draw_scribbles,
    "heart": draw_heart,
    "presets": draw_presets,
    "cells": draw_cells,
    "membranes": draw_membranes,
    "tissues": draw_tissues,
    "crop": draw_crop,
    "comparison": draw_comparison,
}


if __name__ == "__main__":
    for name in sys.argv[1:] or DRAWN:
        DRAWN[name]()
