"""Options about input and output that commands over images share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from segmint.devices import PRECISIONS, choose_device
from segmint.errors import InputError
from segmint.images.choices import MAX_PIXELS, PAGE_CHOICES
from segmint.options import Options, option


@dataclass(frozen=True, kw_only=True)
class InputOptions(Options):
    """How images are read and where results go."""

    out: str = option("segmint-out", aliases=("output",))
    """Folder for the results, one folder an image in it."""
    overwrite: bool = option(False)
    """Make finished results again; without it they are skipped."""
    path: str | None = option(None)
    """Folder that relative image names are looked up in; alone, all images in it."""
    recursive: bool = option(False)
    """Look into the folders of a folder, too."""
    pages: str = option("auto", choices=PAGE_CHOICES)
    """What the pages of a multi-page file are."""
    max_pixels: int = option(MAX_PIXELS, low=1, high=2**62)
    """Refuse files that announce more pixels than this."""
    lean: bool = option(False)
    """Write no overlay.png and no hierarchy.npz, which take most of the room, of images that fit
    into memory."""
    json: bool = option(False)
    """Print the results as JSON."""
    quiet: bool = option(False)
    """Print no progress."""


@dataclass(frozen=True, kw_only=True)
class PlaceOptions(Options):
    """What belongs to one image, and where in it to look."""

    channels: tuple[str, ...] = option(())
    """Files that are the channels of one image, in place of images; of one size and grid."""
    region: str | None = option(None)
    """Mask, nonzero where to look, or a folder of masks named like the images."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.region is not None and not Path(self.region).exists():
            raise missing("region", self.region)


ENGINES: tuple[str, ...] = ("local", "ray")


@dataclass(frozen=True, kw_only=True)
class EngineOptions(Options):
    """What does the work on many images, and where."""

    engine: str = option("local", choices=ENGINES)
    """Worker processes of this machine, or of the machines of a Ray cluster (extra 'ray')."""
    address: str | None = option(None)
    """Of a Ray cluster: ray://HOST:PORT from anywhere, HOST:PORT or auto on one of its machines; if
    not given Ray is started on this machine for the time of the command."""
    workers: int | None = option(None, low=0, high=100_000)
    """Worker processes; 0 does all in the command itself, as 8 images or fewer are if this is not
    given; else one for every four cores of this machine, or what the cluster has room for."""
    gpus_per_worker: float = option(0.0, low=0, high=64)
    """Graphics cards of each worker; 0.25 lets four workers share one."""
    images_per_batch: int = option(16, low=1, high=10_000)
    """Most images that a worker is given at once; fewer where they take long."""
    part: str | None = option(None)
    """Part of the collection to do, as 3/100: every hundredth image from the third."""
    accept_other: bool = option(False)
    """Go on where results of other options are, and keep them."""


STREAMS: tuple[str, ...] = ("auto", "tiff", "zarr")


@dataclass(frozen=True, kw_only=True)
class SceneOptions(Options):
    """How images are read and written that do not fit into memory."""

    max_memory: str | None = option(None)
    """What the whole process may hold, as 2GiB or 1500MB; if not given half of what is free."""
    stream: str = option("auto", choices=STREAMS)
    """Read and write window by window, as a tiled BigTIFF or OME-Zarr with smaller copies; auto
    does so where the image would not fit into --max-memory, and with Zarr."""
    skip_bad: bool = option(False)
    """Leave pixels of damaged tiles out, as if outside the region, in place of an error."""


def missing(name: str, place: str) -> InputError:
    """What to say of an option that names no file and no folder."""
    from segmint.images.collect import nearest_file

    return InputError(
        f"--{name} {place} does not exist, accepted is a file or a folder: "
        f"{nearest_file(Path(place))}"
    )


@dataclass(frozen=True, kw_only=True)
class RunOptions(Options):
    """How the arithmetic is done."""

    seed: int = option(0, low=0, high=2**32 - 1)
    """Of everything random: the same seed gives the same labels on the same processor."""
    device: str = option("auto")
    """Of networks: auto, cpu, cuda, cuda:1, mps."""
    precision: str = option("auto", choices=PRECISIONS)
    """Of networks; auto takes bfloat16 where the hardware computes in it."""
    threads: int = option(0, low=0)
    """Processor threads of networks; 0 uses all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.device not in ("auto", "cpu"):  # both are everywhere, without a look at torch
            choose_device(self.device)
