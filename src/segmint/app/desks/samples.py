"""Pictures for a first click: those that come with scikit-image, and a made-up stack.

Nothing is fetched: scikit-image's own functions might ask a server for a picture that is missing,
so its folder is looked into and the package itself is not imported.
"""

from __future__ import annotations

import importlib.util
import io
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

THUMBNAIL = 96
"""Greatest side of a thumbnail, in pixels."""

_SLICES, _SIDE = 12, 128
_NOISE = 20.0
_DRAWN = 160
"""Side at which a heart is drawn; what is cut off around it is the chest."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A picture that needs no upload."""

    name: str
    """Of the file."""
    path: Path | None
    """Where it lies; None for one that is made when it is asked for."""
    caption: str
    """What it shows."""
    credit: str
    """Whose it is and what may be done with it."""

    def write(self, path: Path) -> None:
        """Put it where a visitor's image is kept.

        Raises:
            OSError: when the file cannot be written.
        """
        if self.path is None:
            write_sample_stack(path)
        else:
            shutil.copyfile(self.path, path)


_PHOTOS = (
    ("coffee.png", "Coffee cup", "Rachel Michetti, CC0"),
    ("chelsea.png", "Cat", "Stefan van der Walt, CC0"),
    ("astronaut.png", "Astronaut Eileen Collins", "NASA, public domain"),
    ("rocket.jpg", "Launch of a rocket", "SpaceX, public domain"),
    ("coins.png", "Coins from Pompeii", "Brooklyn Museum, no known copyright restrictions"),
    ("ihc.png", "Stained colon, microscope", "CMMI, no known copyright restrictions"),
    ("retina.jpg", "Back of an eye", "Mikael Häggström, CC0"),
    ("cell.png", "Cell, phase microscope", "Paul Müller and others, CC0"),
)
_STACK = Sample(
    name="heart.tif",
    path=None,
    caption=f"Made-up heart, {_SLICES} slices",
    credit="drawn by segmint",
)


def samples() -> tuple[Sample, ...]:
    """The samples that are there, a stack last.

    Example:
        >>> [sample.name for sample in samples()][-1]
        'heart.tif'
    """
    folder = _folder()
    photos = [
        Sample(name=name, path=folder / name, caption=caption, credit=credit)
        for name, caption, credit in _PHOTOS
        if folder is not None and (folder / name).is_file()
    ]
    return (*photos, _STACK)


@cache
def thumbnail(sample: Sample) -> bytes:
    """A JPEG of at most 96x96 pixels; made once, of files that need no care to be opened."""
    from PIL import Image as Pillow

    if sample.path is None:
        picture = Pillow.fromarray(_eight_bits(_stack(1)[0]))
    else:
        with Pillow.open(sample.path) as opened:
            picture = opened.convert("RGB")
    picture.thumbnail((THUMBNAIL, THUMBNAIL), Pillow.Resampling.LANCZOS)
    content = io.BytesIO()
    picture.save(content, format="JPEG", quality=85)
    return content.getvalue()


def write_sample_stack(path: Path) -> None:
    """Write a made-up heart (late enhancement) as a TIFF of 12 slices of 128x128 pixels.

    Raises:
        OSError: when the file cannot be written.
    """
    import tifffile

    tifffile.imwrite(
        path,
        _stack(_SLICES),
        photometric="minisblack",
        compression="zlib",
        metadata={"axes": "ZYX"},
    )


def _stack(slices: int) -> NDArray[np.uint16]:
    """(slices, 128, 128), the same in every call."""
    import numpy as np

    from segmint.datasets.synthetic import draw_heart

    heart = draw_heart(slices=slices, size=(_DRAWN, _DRAWN), noise=_NOISE, seed=0)
    volume = heart.volumes["LGE"]
    edge = (_DRAWN - _SIDE) // 2
    inner = volume[edge : edge + _SIDE, edge : edge + _SIDE]
    return np.ascontiguousarray(inner.transpose(2, 0, 1)).astype(np.uint16)


def _eight_bits(plane: NDArray[np.uint16]) -> NDArray[np.uint8]:
    import numpy as np

    low, high = np.percentile(plane, (1, 99))
    scaled = (plane.astype(np.float64) - low) / max(high - low, 1) * 255
    return np.asarray(np.clip(np.rint(scaled), 0, 255), np.uint8)


def _folder() -> Path | None:
    """The data of scikit-image."""
    found = importlib.util.find_spec("skimage")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "data"
