"""Where a tour puts its files, and what its chapters share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.datasets.synthetic import draw_shapes
from segmint.images import Image, read_image, save_picture
from segmint.methods.segment import segment
from segmint.methods.segmentation import Segmentation
from segmint.reports.photos import read_photo

Picture = npt.NDArray[np.uint8]

_SMALLEST_NETWORK = {"max_epochs": 1, "features": 1, "levels": 1}
_QUICKEST: Mapping[str, Mapping[str, Any]] = {
    "clustering": {"iterations": 1},
    "deepg": _SMALLEST_NETWORK,
    "deepsvg": _SMALLEST_NETWORK,
}


@dataclass(frozen=True, kw_only=True)
class Tour:
    """A folder for all files, and the seed of everything random."""

    folder: Path
    seed: int

    @property
    def pictures(self) -> Path:
        """Folder of what is segmented."""
        return self.folder / "pictures"

    @property
    def results(self) -> Path:
        """Folder of the segmentations."""
        return self.folder / "results"

    def photo(self, name: str) -> Image:
        """A photo, written into the folder and read from there as any other."""
        return self.picture(name, read_photo(name))

    def picture(self, name: str, pixels: Picture) -> Image:
        """A picture, written into the folder and read from there as any other."""
        path = self.pictures / f"{name}.png"
        save_picture(path, pixels)
        return read_image(path)

    def segment(self, image: Image, name: str, method: str, **options: Any) -> Segmentation:
        """A segmentation, saved under a name."""
        segmentation = segment(image, method, seed=self.seed, **options)
        segmentation.save(self.results / name, image)
        return segmentation


def load_code(methods: Sequence[str]) -> None:
    """Run methods on a speck, so that their first imports do not count as seconds of a picture."""
    speck, _ = draw_shapes(32, 32, shapes=2)
    for method in methods:
        segment(speck, method, **_QUICKEST.get(method, {}))
