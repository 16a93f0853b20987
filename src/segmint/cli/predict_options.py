"""What ``segmint predict`` can be asked."""

from __future__ import annotations

from dataclasses import dataclass

from segmint.cli.inputs import PlaceOptions, RunOptions, SceneOptions
from segmint.devices import PRECISIONS
from segmint.options import option

AUGMENTATIONS: tuple[str, ...] = ("flips", "rotations", "scales")
"""From how many sides an image can be looked at."""


@dataclass(frozen=True, kw_only=True)
class PredictOptions(PlaceOptions):
    """What belongs to one image, where in it to look, and what is written."""

    probabilities: bool = option(False)
    """Write the probability of each class and their entropy, too, as float32 TIFF or NIfTI."""
    peer: str | None = option(None)
    """Of a run with several networks the one that answers, or ensemble, the mean of all; if not
    given the one that was best in training."""
    also: tuple[str, ...] = option(())
    """Further runs of the same classes that answer together with the first, by the mean of the
    probabilities of all networks; place it after the images."""
    tta: tuple[str, ...] = option((), choices=AUGMENTATIONS)
    """Test-time augmentation: the mean over mirrored, turned (by 90 degrees) and resized images."""
    tta_scales: tuple[float, ...] = option((0.75, 1.25), low=0.1, high=4)
    """Sizes of --tta scales, beside the image's own."""
    uncertainty: bool = option(False)
    """Write where the networks that answer together disagree, in bits, too, as float32 TIFF or
    NIfTI and as a picture."""


@dataclass(frozen=True, kw_only=True)
class TileOptions(SceneOptions):
    """How images are cut and written that do not fit into memory."""

    tile: int | None = option(None, low=64, high=65536)
    """Side in pixels of the tiles that go through a network; if not given what fits the memory."""


@dataclass(frozen=True, kw_only=True)
class PredictRunOptions(RunOptions):
    """How the arithmetic of a prediction is done."""

    precision: str = option("auto", choices=(*PRECISIONS, "int8"))
    """Of networks; auto takes bfloat16 where the hardware computes in it, int8 needs the extra
    'onnx'. What others than float32 change is printed once."""
