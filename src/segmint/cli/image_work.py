"""The work on one image: read, segment, save."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from segmint.cli.collecting import channel_files
from segmint.cli.inputs import InputOptions
from segmint.engines.item import Item
from segmint.errors import InputError
from segmint.images import Image, read_image
from segmint.images.channels import read_channels
from segmint.inference.streaming import is_unfinished
from segmint.methods.storage import read_record

if TYPE_CHECKING:
    from segmint.methods.segmentation import Segmentation

SegmentImage = Callable[[Image, Item], "tuple[Segmentation, Mapping[str, bytes]]"]
"""``segment(image, item)``: the segmentation of an image, and further files of its result by
name."""


UNEXPECTED = (
    *(RuntimeError, OSError, ValueError, LookupError),
    *(TypeError, ArithmeticError, AttributeError, ImportError),
)
"""What becomes the failure of one image, with its kind, because nobody raised it on purpose."""


class ByWindow(Protocol):
    """Answers images that do not fit into memory."""

    def takes(self, path: Path) -> bool:
        """Whether this file is one of them."""
        ...

    def segment(self, item: Item, folder: Path) -> dict[str, Any]:
        """Answer it and write its folder; what the record in it says."""
        ...


class Together(Protocol):
    """Segments several images of one shape at a time, where that is quicker."""

    def at_once(self, image: Image) -> int:
        """How many images of this shape go together; 1 where nothing is gained."""
        ...

    def segment(
        self, images: Sequence[tuple[Item, Image]]
    ) -> Sequence[tuple[Segmentation, Mapping[str, bytes]]]:
        """The segmentation of each, whatever the others are.

        Raises:
            SegmintError: when one of them cannot be segmented.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class ImageWork:
    """What is done to any image, with all that it needs in memory."""

    read: Callable[[Path], Image]
    segment: SegmentImage
    by_window: ByWindow | None = None
    together: Together | None = None
    lean: bool = False
    """Leave out pictures and hierarchies."""

    def do(self, item: Item, folder: Path) -> dict[str, Any]:
        """Segment an image into a folder.

        Returns:
            What is told of it: image, result, method, components, seconds, notes.
        """
        begun = self.begin(item, folder)
        if isinstance(begun, dict):
            return begun
        return self.finish(item, folder, begun, *self.segment(begun, item))

    def begin(self, item: Item, folder: Path) -> Image | dict[str, Any]:
        """The image, or, where it does not fit into memory, what is told when it is done."""
        path = Path(item.image)
        if self.by_window is None or not self.by_window.takes(path):
            return self.read(path)
        record = self.by_window.segment(item, folder)
        told = {name: record[name] for name in ("method", "components", "seconds", "notes")}
        return {"image": item.image, "result": str(folder), **told}

    def finish(
        self,
        item: Item,
        folder: Path,
        image: Image,
        segmentation: Segmentation,
        files: Mapping[str, bytes],
    ) -> dict[str, Any]:
        """Save what came out, and tell of it."""
        segmentation.save(folder, image, files=files, lean=self.lean)
        return {
            "image": item.image,
            "result": str(folder),
            "method": segmentation.method,
            "components": segmentation.components,
            "seconds": round(segmentation.seconds, 3),
            "notes": [*image.notes, *segmentation.notes],
        }


def reader(options: InputOptions, channels: Sequence[str] = ()) -> Callable[[Path], Image]:
    """How images are read: each from its file, or one from the files of its channels."""
    files = channel_files(channels, options) if channels else []

    def read(path: Path) -> Image:
        if files:
            return read_channels(files, pages=options.pages, max_pixels=options.max_pixels)
        return read_image(path, pages=options.pages, max_pixels=options.max_pixels)

    return read


def finished(folder: Path, image: Path) -> dict[str, Any] | None:
    """The record of a finished result of this image, or None.

    Raises:
        InputError: when the folder holds the result of another image of that name.
    """
    if is_unfinished(folder):
        return None
    try:
        record = read_record(folder)
    except InputError:
        return None
    made_from = Path(str(record.get("image")))
    with suppress(OSError):
        if not made_from.samefile(image):
            raise InputError(
                f"{folder} holds the result of {made_from} and not of {image}: choose another "
                "--out, or pass --overwrite"
            )
    return record


def is_of(record: Mapping[str, Any], signature: Mapping[str, Any]) -> bool:
    """Whether a result was made with these options."""
    return all(record.get(key) == value for key, value in signature.items())


def reason(image: str, error: Exception) -> str:
    """Why an image failed, with its name."""
    if isinstance(error, MemoryError):
        return (
            f"{image}: not enough memory for this image: pass --stream tiff, reduce it, or lower "
            "--working-pixels or --features where the method has them"
        )
    text = str(error)
    if isinstance(error, UNEXPECTED):
        return f"{image}: unexpected {type(error).__name__}: {' '.join(text.split())}"
    return text if image in text else f"{image}: {text}"
