"""The photos that come with scikit-image, read from its package without network access."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photo that scikit-image ships."""

    name: str
    file: str
    """Its name in scikit-image's folder ``data``."""
    subject: str
    """What it shows, in a few words."""


PHOTOS = {
    photo.name: photo
    for photo in (
        Photo(name="coins", file="coins.png", subject="24 ancient coins on a dark ground"),
        Photo(name="astronaut", file="astronaut.png", subject="an astronaut in an orange suit"),
        Photo(name="coffee", file="coffee.png", subject="a cup of coffee on a wooden table"),
        Photo(name="rocket", file="rocket.jpg", subject="a rocket on its launch pad at dusk"),
        Photo(name="tissue", file="ihc.png", subject="stained colon tissue under a microscope"),
        Photo(name="cat", file="chelsea.png", subject="the face of a tabby cat"),
    )
}

CREDITS = (
    "Photos come with scikit-image: coins, Brooklyn Museum; astronaut, NASA; coffee, Rachel "
    "Michetti; rocket, SpaceX; tissue, Center for Microscopy and Molecular Imaging (Belgium); cat, "
    "Stéfan van der Walt. All are in the public domain or have no known copyright restrictions."
)


def read_photo(name: str) -> npt.NDArray[np.uint8]:
    """A photo as uint8, (H, W, 3) or grey (H, W).

    Raises:
        InputError: when the installed scikit-image does not ship it.
    """
    from PIL import Image as Pillow

    file: Any = resources.files("skimage") / "data" / PHOTOS[name].file
    try:
        with file.open("rb") as stream, Pillow.open(stream) as picture:
            return np.array(picture if picture.mode in ("L", "RGB") else picture.convert("RGB"))
    except OSError as error:
        version = importlib.metadata.version("scikit-image")
        raise InputError(
            f"scikit-image {version} comes without its photo {PHOTOS[name].file}, which the tour "
            "needs: install scikit-image 0.25 or 0.26"
        ) from error
