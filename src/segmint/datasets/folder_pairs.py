"""The images and masks of one's own folder, or of a table of pairs, by split."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from segmint.datasets.dataset import Pair
from segmint.datasets.listing import files_in
from segmint.datasets.prepared_folder import is_folder
from segmint.errors import InputError
from segmint.images.collect import IMAGE_SUFFIXES, result_names
from segmint.images.mask_names import partners, some_of
from segmint.images.masks import MASK_SUFFIXES

SPLITS = ("train", "val", "test")

_IMAGE_FOLDERS = ("images", "image", "imgs")
_MASK_FOLDERS = ("masks", "mask", "labels", "label", "annotations")
_TABLES = ("pairs.csv", "dataset.csv")
_OTHER_NAMES = {"valid": "val", "validation": "val", "training": "train", "testing": "test"}
_JPEG = (".jpg", ".jpeg")

Splits = Mapping[str, tuple[Pair, ...]]


def table_in(root: Path) -> Path | None:
    """The table of pairs: the file that was named, or one of a known name in the folder."""
    if root.suffix.lower() == ".csv" and root.is_file():
        return root
    return next((root / name for name in _TABLES if (root / name).is_file()), None)


def has_folders(root: Path) -> bool:
    """Whether there are folders of images and of masks, in the folder or in one of a split."""
    return bool(_places(root))


def pairs_of_folders(root: Path) -> tuple[Splits, tuple[str, ...]]:
    """The pairs of each split, by the names of their files, and what was left out.

    Accepted are ``images`` and ``masks``; ``train/images`` and ``train/masks``; ``images/train``
    and ``masks/train``; likewise with ``val`` and ``test``.

    Raises:
        InputError: for an image without a mask or with several, and for a folder without images.
    """
    splits, notes = {}, []
    for split, (images, masks) in _places(root).items():
        splits[split], lonely = _matched(images, masks)
        if lonely:
            notes.append(f"{len(lonely)} masks have no image and are left out: {some_of(lonely)}")
    return splits, tuple(notes)


def pairs_of_table(path: Path) -> tuple[Splits, tuple[str, ...]]:
    """The pairs of a CSV with the columns ``image``, ``mask`` and, where it likes, ``split``.

    Paths are seen from the folder of the table. Without a split, all pairs are of ``train``.
    Columns are parted by commas, or by semicolons, as many spreadsheets write them.

    Raises:
        InputError: when it is no such table, or names a file that is absent or named twice.
    """
    try:
        rows = _rows(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV: save it again as text in UTF-8") from error
    first = rows[0][1] if rows else {}
    if not {"image", "mask"} <= first.keys():
        columns = ", ".join(first) or "no line"
        raise InputError(
            f"{path} holds {columns}, accepted is a table with the columns image, mask and, if "
            "there are several, split: write these names into its first line"
        )
    images = [_file_in(path, row["image"], line) for line, row in rows]
    masks = [_file_in(path, row["mask"], line) for line, row in rows]
    if len(set(images)) < len(images):
        twice = next(image for image in images if images.count(image) > 1)
        raise InputError(f"{path} names the image {twice} twice: name each image once")
    splits: dict[str, list[Pair]] = {}
    names = result_names(images)
    for image, mask, name, (_, row) in zip(images, masks, names, rows, strict=True):
        split = _split_name((row.get("split") or "train").strip())
        splits.setdefault(split, []).append(Pair(image=image, mask=mask, name=name))
    return {split: tuple(splits[split]) for split in sorted(splits, key=_rank)}, ()


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    """The number of the line and the values by column of each row of a table."""
    head = text.partition("\n")[0]
    delimiter = ";" if ";" in head and "," not in head else ","
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True, delimiter=delimiter)
    columns = [name.strip().lower() for name in reader.fieldnames or ()]
    return [
        (reader.line_num, dict(zip(columns, (value or "" for value in row.values()), strict=False)))
        for row in reader
    ]


def _file_in(table: Path, named: str, line: int) -> Path:
    file = table.parent / named.strip().replace("\\", "/")
    # Path.is_file raises for a name that is too long.
    if not os.path.isfile(file):  # noqa: PTH113
        raise InputError(
            f"{table} names the file {named!r} in line {line}, which is not there: paths are seen "
            "from the folder of the table"
        )
    return file


def _places(root: Path) -> dict[str, tuple[Path, Path]]:
    """Folder of images and folder of masks of each split."""
    if not is_folder(root):
        return {}
    found: dict[str, tuple[Path, Path]] = {}
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        split, inside = _split_name(folder.name), _two_folders(folder)
        if split in SPLITS and inside is not None:
            found[split] = inside
    own = _two_folders(root)
    if own is not None:
        images, masks = own
        for folder in sorted(path for path in images.iterdir() if path.is_dir()):
            if _split_name(folder.name) in SPLITS and is_folder(masks / folder.name):
                found[_split_name(folder.name)] = (folder, masks / folder.name)
        if files_in(images):
            found.setdefault("train", own)
    return {split: found[split] for split in sorted(found, key=_rank)}


def _two_folders(root: Path) -> tuple[Path, Path] | None:
    images = [root / name for name in _IMAGE_FOLDERS if is_folder(root / name)]
    masks = [root / name for name in _MASK_FOLDERS if is_folder(root / name)]
    return (images[0], masks[0]) if images and masks else None


def _matched(images: Path, masks: Path) -> tuple[tuple[Pair, ...], list[str]]:
    """Pairs in natural order, and the names of masks that no image has."""
    files = files_in(images, IMAGE_SUFFIXES)
    truths = list(files_in(masks, (*MASK_SUFFIXES, *_JPEG)).items())
    if not files:
        raise InputError(f"folder {images} holds no image: put the images there")
    names = list(files)
    found = partners(names, truths)
    _check_matches(names, found, images, masks)
    taken = {matches[0] for matches in found}
    pairs = tuple(
        Pair(image=files[name], mask=matches[0], name=name)
        for name, matches in zip(names, found, strict=True)
    )
    return pairs, [path.name for _, path in truths if path not in taken]


def _check_matches(
    names: Sequence[str], found: Sequence[Sequence[Path]], images: Path, masks: Path
) -> None:
    missing = [name for name, matches in zip(names, found, strict=True) if not matches]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(names)} images in {images} have no mask in {masks}: "
            f"{some_of(missing)}; add their masks, named like the images, or remove them"
        )
    for name, matches in zip(names, found, strict=True):
        if len(matches) > 1:
            raise InputError(
                f"image {name} in {images} fits {len(matches)} masks in {masks}: keep one of "
                f"{some_of([path.name for path in matches])}"
            )


def _split_name(name: str) -> str:
    lower = name.lower()
    return _OTHER_NAMES.get(lower, lower)


def _rank(split: str) -> tuple[int, str]:
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS), split)
