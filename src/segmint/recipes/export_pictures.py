"""Pictures on which an exported file is measured and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.channel_statistics import evenly_spread, full_value
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.resizing import resized_image
from segmint.errors import SegmintError
from segmint.images import Image, collect_images, read_image

if TYPE_CHECKING:
    from segmint.recipes.class_prediction import ClassPrediction
    from segmint.recipes.run import Run

MOST = 12
"""Pictures, evenly taken from all there are."""

_SIDE = 512
"""Largest height and width, of the middle of larger ones."""
_IN_COLOR = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")
_GREY = ("camera.png", "coins.png", "page.png", "moon.png")


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A picture at the size of the network."""

    name: str
    pixels: NDArray[Any]
    """(H, W, C) in the type of its file."""

    def stored(self, full_value_of_file: float) -> NDArray[np.float32]:
        """(1, C, H, W) in the units of a file."""
        scale = full_value_of_file / full_value(self.pixels.dtype)
        found: NDArray[np.float32] = (self.pixels.astype(np.float64) * scale).astype(np.float32)
        return np.ascontiguousarray(found.transpose(2, 0, 1)[np.newaxis])


def export_pictures(
    run: Run, prediction: ClassPrediction, given: Sequence[str | Path] = ()
) -> tuple[list[Picture], str]:
    """The pictures that are given, or those that chose the run, or pictures of everyday things.

    Args:
        run: that is exported.
        prediction: what its images go through.
        given: files, folders or patterns.

    Returns:
        At least one picture, and where they are not the run's own a sentence that says so.

    Raises:
        InputError: for a file that was given and cannot be used.
    """
    preprocessing = prediction.preprocessing
    if given:
        paths = collect_images(list(given))
        chosen = [paths[index] for index in evenly_spread(len(paths), MOST)]
        return [_given(path, prediction) for path in chosen], ""
    try:
        return list(_validation_pictures(run, preprocessing)), ""
    except SegmintError:
        note = (
            "the images that chose the run are not there, so that pictures of everyday things "
            "stood in for them: give some of yours by --images"
        )
        return list(_everyday_pictures(preprocessing)), note


@dataclass(frozen=True)
class _Told:
    """What of a run says where its data are."""

    folder: Path
    record: Mapping[str, Any]


def measuring_images(
    folder: Path, record: Mapping[str, Any], prediction: ClassPrediction
) -> list[NDArray[Any]]:
    """Images (H, W, C) at the size of the network, on which 8-bit arithmetic measures its ranges.

    Args:
        folder: of a run.
        record: of the run.
        prediction: what its images go through.
    """
    told = cast("Run", _Told(folder, record))
    return [picture.pixels for picture in export_pictures(told, prediction)[0]]


def _given(path: Path, prediction: ClassPrediction) -> Picture:
    image = read_image(path)
    try:
        prediction.check(image)
    except SegmintError as error:
        raise type(error)(f"{path}: {error}") from error
    first = image.pixels[0] if image.is_stack else image.pixels
    return _picture(path.name, first, prediction.preprocessing)


def _validation_pictures(run: Run, preprocessing: Preprocessing) -> Iterator[Picture]:
    from segmint.recipes.splits import open_again

    dataset = open_again(run)
    for index in evenly_spread(len(dataset), MOST):
        sample = dataset[index]
        name = Path(sample.name).name or f"image {index}"
        yield _picture(name, sample.image, preprocessing)


def _everyday_pictures(preprocessing: Preprocessing) -> Iterator[Picture]:
    """Those that come with scikit-image; its own functions might ask a server for them."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    for name in _GREY if preprocessing.channels == 1 else _IN_COLOR:
        path = folder / name
        if path.is_file():
            yield _picture(name, _with_channels(read_image(path), preprocessing), preprocessing)


def _with_channels(image: Image, preprocessing: Preprocessing) -> NDArray[Any]:
    """The channels of a picture, over and over until there are enough."""
    kept = [index % image.channels for index in range(preprocessing.channels)]
    return image.pixels[..., kept]


def _picture(name: str, pixels: NDArray[Any], preprocessing: Preprocessing) -> Picture:
    seen = resized_image(pixels, preprocessing.size(*pixels.shape[:2]))
    height, width = seen.shape[:2]
    top, left = (max(0, (size - _SIDE) // 2) for size in (height, width))
    middle = seen[top : top + _SIDE, left : left + _SIDE]
    return Picture(name=name, pixels=np.ascontiguousarray(middle))
