"""Nuclei with a number each, as in the Data Science Bowl 2018 (Caicedo et al., 2019)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import Objects, Pair, Truths
from segmint.datasets.folder_pairs import has_folders
from segmint.datasets.layout import Layout
from segmint.datasets.listing import files_in, pairs_of
from segmint.datasets.objects import grown_pieces
from segmint.datasets.pair_reader import check_sizes, with_channels
from segmint.datasets.pixel_files import read_mask_values, read_pixels
from segmint.datasets.prepared_folder import is_folder
from segmint.datasets.sample import Sample
from segmint.errors import InputError
from segmint.images.palettes import palette
from segmint.options import Options, option

_CLASSES = {
    "boundary": ("background", "interior", "boundary"),
    "foreground": ("background", "nucleus"),
}


@dataclass(frozen=True, kw_only=True)
class NucleiOptions(Options):
    """What is learned of the nuclei."""

    target: str = option("boundary", choices=tuple(_CLASSES))
    """Background, interior and boundary, by which touching nuclei are told apart; or background
    and nucleus."""


class Nuclei(Layout):
    """``images`` with ``labels`` of 16-bit numbers, or ``stage1_train`` with a folder an image."""

    name = "nuclei"
    landmarks = ("images", "labels")
    options_type = NucleiOptions
    protocols = ("instances",)

    options: NucleiOptions

    def __init__(self, root: Path, options: NucleiOptions) -> None:
        super().__init__(root, options)
        self.classes = _CLASSES[options.target]
        self.palette = palette()[: len(self.classes)]

    @classmethod
    def place_in(cls, root: Path) -> Path | None:
        """The folder of the two folders, or of the folders of images."""
        for place in (root, root / "stage1_train", root / "dsb2018"):
            if _folders_of_images(place) or all((place / mark).is_dir() for mark in cls.landmarks):
                return place
        return None

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Whether labels are wider than 8 bits, or there is a folder for each image."""
        place = cls.place_in(root)
        return place is not None and (bool(_folders_of_images(place)) or _is_numbered(place))

    def splits(self) -> tuple[str, ...]:
        """All images are of ``train``."""
        return ("train",)

    def pairs(self, split: str) -> tuple[Pair, ...]:
        """The images with the file, or the folder, of their nuclei."""
        folders = _folders_of_images(self.place)
        if folders:
            images = {name: _only_image(folder / "images") for name, folder in folders.items()}
            masks = {name: folder / "masks" for name, folder in folders.items()}
            return pairs_of(list(images), images, masks, source=self.place)
        images, masks = files_in(self.place / "images"), files_in(self.place / "labels")
        return pairs_of(list(images), images, masks, source=self.place / "images")

    def reader(self) -> Callable[[Pair], Sample]:
        """Numbers of nuclei become classes."""
        return NucleiReader(target=self.options.target, channels=self.channels)

    def truths(self) -> Truths:
        """The numbers of nuclei."""
        return read_nuclei

    def objects(self) -> Objects:
        """Pieces of interiors are nuclei, grown over their boundaries."""
        return nuclei_of


@dataclass(frozen=True, kw_only=True)
class NucleiReader:
    """Reads an image and its nuclei."""

    target: str
    channels: int

    def __call__(self, pair: Pair) -> Sample:
        """Read one pair."""
        assert pair.mask is not None
        image = with_channels(read_pixels(pair.image), self.channels, pair.image)
        numbers = _read_numbers(pair)
        check_sizes(image, numbers, pair)
        return Sample(image=image, mask=nuclei_mask(numbers, self.target), name=str(pair.image))


def read_nuclei(pair: Pair) -> tuple[NDArray[np.int32]]:
    """The number (H, W) of the nucleus of each pixel, 0 where there is none."""
    return (_read_numbers(pair).astype(np.int32),)


def nuclei_of(classes: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    """Numbers of nuclei from background (0), interior or nucleus (1) and boundary (2).

    Example:
        >>> nuclei_of(np.array([[0, 2, 1, 2, 2, 1]])).tolist()
        [[0, 1, 1, 1, 2, 2]]
    """
    return grown_pieces(classes, inside=1, over=(2,))


def nuclei_mask(numbers: NDArray[np.integer[Any]], target: str) -> NDArray[np.uint8]:
    """Classes from the number of the nucleus that each pixel belongs to.

    A pixel of a nucleus is boundary when one of its eight neighbors belongs to something else, so
    that interiors of two nuclei never touch.

    Args:
        numbers: (H, W); 0 is background.
        target: ``boundary`` or ``foreground``.

    Example:
        >>> nuclei_mask(np.array([[0, 7, 7, 7, 8, 8]]), "boundary").tolist()
        [[0, 2, 1, 2, 2, 1]]
    """
    inside = np.asarray(numbers != 0)
    if target == "foreground":
        return inside.astype(np.uint8)
    classes = np.where(_has_other_neighbor(numbers), 2, 1).astype(np.uint8)
    classes[~inside] = 0
    return classes


def _has_other_neighbor(numbers: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Whether the 3 x 3 pixels around one hold more than one number.

    They do when two of them that lie side by side, or one above the other, differ.
    """
    found = np.zeros(numbers.shape, np.bool_)
    beside = _spread(numbers[:, 1:] != numbers[:, :-1], axis=0)
    found[:, 1:] |= beside
    found[:, :-1] |= beside
    above = _spread(numbers[1:] != numbers[:-1], axis=1)
    found[1:] |= above
    found[:-1] |= above
    return found


def _spread(flags: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Where one of a flag and its two neighbors along an axis is set."""
    wide, lines = flags.copy(), np.moveaxis(flags, axis, 0)
    spread = np.moveaxis(wide, axis, 0)
    spread[1:] |= lines[:-1]
    spread[:-1] |= lines[1:]
    return wide


def _read_numbers(pair: Pair) -> NDArray[Any]:
    assert pair.mask is not None
    if not is_folder(pair.mask):
        stored = read_mask_values(pair.mask)
        if stored.ndim != 2:
            raise InputError(
                f"mask {pair.mask} is a color picture, accepted is the number of a nucleus for "
                "each pixel: save it as 16-bit grey"
            )
        return stored
    files = list(files_in(pair.mask).values())
    if not files:
        raise InputError(f"folder {pair.mask} holds no mask of a nucleus: complete the data set")
    return _numbered(files, pair)


def _numbered(files: list[Path], pair: Pair) -> NDArray[np.int32]:
    """Numbers 1, 2, ... from a file for each nucleus; where two overlap, the later counts."""
    numbers: NDArray[np.int32] | None = None
    for number, file in enumerate(files, start=1):
        stored = read_mask_values(file)
        if numbers is None:
            numbers = np.zeros(stored.shape[:2], np.int32)
        if stored.shape != numbers.shape:
            raise InputError(
                f"{file} has the shape {stored.shape} and masks of nuclei before it "
                f"{numbers.shape}: the masks in {pair.mask} are not of one image"
            )
        numbers[stored != 0] = number
    assert numbers is not None
    return numbers


def _folders_of_images(place: Path) -> dict[str, Path]:
    """The folders that hold ``images`` and ``masks`` of mostly one image each, by name."""
    if not is_folder(place) or (place / "images").exists() or has_folders(place):
        return {}
    inside = sorted(folder for folder in place.iterdir() if not folder.name.startswith("."))
    kept = [folder for folder in inside if is_folder(folder / "images")]
    if not kept or not all(is_folder(folder / "masks") for folder in kept):
        return {}
    single = [folder for folder in kept if len(files_in(folder / "images")) == 1]
    return {folder.name: folder for folder in kept} if 2 * len(single) > len(kept) else {}


def _only_image(folder: Path) -> Path:
    found = list(files_in(folder).values())
    if len(found) != 1:
        raise InputError(
            f"folder {folder} holds {len(found)} images, accepted is one, whose nuclei are in "
            "'masks' beside it: complete or remove the folder around it"
        )
    return found[0]


def _is_numbered(place: Path) -> bool:
    """Whether the labels are wider than 8 bits, as numbers of nuclei are."""
    first = next(iter(files_in(place / "labels").values()), None)
    return first is not None and read_pixels(first).dtype.itemsize > 1
