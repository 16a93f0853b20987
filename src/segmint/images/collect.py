"""From what a user names to the list of images, and a name for each result."""

from __future__ import annotations

import difflib
import fnmatch
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path

from segmint.errors import InputError
from segmint.images.folder_listing import folder_prefix, inside_of, list_images, natural_text
from segmint.images.zarr_folders import ZARR_SUFFIX, is_zarr

IMAGE_SUFFIXES: tuple[str, ...] = (
    ".png",
    ".jpg",
    ".jpeg",
    ".bmp",
    ".webp",
    ".tif",
    ".tiff",
    ".nii",
    ".nii.gz",
    ".npy",
    ".npz",
)
_ACCEPTED = ", ".join((*IMAGE_SUFFIXES, ZARR_SUFFIX))
_COMPOUND_SUFFIXES = (".nii.gz", ".ome.tif", ".ome.tiff", ".ome.zarr")
_WILDCARDS = re.compile(r"[*?\[]")
_CASE = re.IGNORECASE if os.name == "nt" else re.NOFLAG
_LOOKED_AT = 1000
"""Names that a missing one is compared with: it may be one of many in a folder of millions."""


def collect_images(inputs: Sequence[str | Path], *, recursive: bool = False) -> list[Path]:
    """The image files meant by files, folders and wildcards.

    A file is taken whatever its name, and so is the folder of a Zarr image. Any other folder gives
    the files in it with an image suffix and the Zarr images, hidden ones and results apart, and so
    does a pattern such as ``cells/*.png`` that the shell left unexpanded. Each expansion is in
    natural order (``9`` before ``10``), a file named twice is taken once.

    Args:
        inputs: paths or patterns, at least one.
        recursive: look into folders inside folders.

    Raises:
        InputError: for a missing file, a folder or pattern without images, or no input at all.
    """
    if not inputs:
        raise InputError("no image given: name at least one file, folder or pattern")
    found: dict[Path, Path] = {}
    for item in inputs:
        for path in map(Path, named_images(item, recursive=recursive)):
            found.setdefault(path.parent.resolve() / path.name, path)
    return list(found.values())


def named_images(
    item: str | Path, *, recursive: bool = False, without: str | None = None
) -> Iterator[str]:
    """The image files meant by one file, folder or pattern, as :func:`collect_images` takes them.

    Args:
        item: a path or pattern.
        recursive: look into folders inside folders.
        without: a folder whose files no folder or pattern gives, as that of the results.

    Raises:
        InputError: for a missing file, a folder or pattern without images.
    """
    try:
        yield from _expand(Path(item), recursive, without)
    except (OSError, ValueError) as error:
        place = getattr(error, "filename", None) or item
        reason = getattr(error, "strerror", None) or "its name is not a path"
        raise InputError(
            f"{place} cannot be opened ({reason}), accepted are image files, folders and "
            "patterns: check the name and its permissions"
        ) from error


def result_names(paths: Sequence[Path]) -> list[str]:
    """A name for the result of each image, unique also where case does not count.

    The name is the file's name without suffix; where that is shared, the whole name; where that is
    shared too, preceded by the folders that tell them apart.

    Example:
        >>> result_names([Path("a/1.png"), Path("a/2.nii.gz"), Path("a/2.png"), Path("b/2.png")])
        ['1', '2.nii.gz', 'a-2.png', 'b-2.png']
    """
    choices = [_names_by_length(path) for path in paths]
    level = [0] * len(paths)
    while True:
        names = [choice[at] for choice, at in zip(choices, level, strict=True)]
        shared = _shared(names)
        longer = [
            index
            for index, name in enumerate(names)
            if name.casefold() in shared and level[index] + 1 < len(choices[index])
        ]
        if not longer:
            return _numbered(names)
        for index in longer:
            level[index] += 1


def name_by_length(folders: Sequence[str], name: str, length: int) -> str:
    """One of the names that a result may have.

    Args:
        folders: that the file lies in, from the outermost.
        name: of the file.
        length: 0 for its stem, 1 for its whole name, above it preceded by one folder more each.

    Example:
        >>> [name_by_length(("x", "y"), "a.ome.tif", length) for length in range(4)]
        ['a', 'a.ome.tif', 'y-a.ome.tif', 'x-y-a.ome.tif']
    """
    if length == 0:
        return stem_of(name)
    return "-".join((*folders[len(folders) + 1 - length :], name))


def stem_of(name: str) -> str:
    """A file's name without its suffix, or suffixes that belong together.

    Example:
        >>> stem_of("scan.nii.gz"), stem_of("scan.2.png"), stem_of(".png")
        ('scan', 'scan.2', '.png')
    """
    letters = name.lower()
    if letters.endswith(_COMPOUND_SUFFIXES):
        suffix = next(filter(letters.endswith, _COMPOUND_SUFFIXES))
        if len(name) > len(suffix):
            return name[: -len(suffix)]
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and suffix and stem.strip(".") else name


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sort key that counts digits as numbers: ``cell9`` before ``cell10``."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)


def nearest_file(path: Path) -> str:
    """A sentence end for a file that is missing: the nearest name in its folder."""
    beside: list[str] = []
    with suppress(OSError):
        if path.is_symlink():
            return "it is a link, and what it leads to is gone"
        with os.scandir(path.parent) as entries:
            beside = [entry.name for entry in islice(entries, _LOOKED_AT)]
    close = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.75)
    return f"did you mean {close[0]!r}?" if close else "check the folder and the name"


def _expand(path: Path, recursive: bool, without: str | None) -> Iterator[str]:
    if path.is_dir() and not is_zarr(path):
        inside = "" if recursive else "or look into its folders with --recursive"
        yield from _at_least_one(
            list_images(path, IMAGE_SUFFIXES, recursive=recursive, without=without),
            f"folder {path} holds no image, accepted are {_ACCEPTED}: "
            f"name another folder {inside}".rstrip(),
        )
    elif path.exists():
        yield str(path)
    elif _WILDCARDS.search(str(path)):
        yield from _at_least_one(
            _matches(path, without),
            f"{path} matches no image, accepted are {_ACCEPTED}: check the folder and the pattern",
        )
    else:
        raise InputError(
            f"{path} does not exist, accepted are image files, folders and patterns: "
            f"{nearest_file(path)}"
        )


def _at_least_one(images: Iterable[str], otherwise: str) -> Iterator[str]:
    found = False
    for image in images:
        found = True
        yield image
    if not found:
        raise InputError(otherwise)


def _matches(pattern: Path, without: str | None) -> Iterable[str]:
    parts = pattern.parts
    first = next(index for index, part in enumerate(parts) if _WILDCARDS.search(part))
    folder, inside = Path(*parts[:first]), parts[first:]
    if not folder.is_dir():
        return ()
    if len(inside) == 1 and "**" not in inside[0]:
        expression = re.compile(fnmatch.translate(inside[0]), _CASE)
        return list_images(folder, IMAGE_SUFFIXES, matching=expression.match)
    left_out = None if without is None else inside_of(folder_prefix(folder), without)
    visible = _visible_images(folder.glob(str(Path(*inside))), folder)
    found = sorted(str(path) for path in visible if left_out not in (*map(str, path.parents),))
    found.sort(key=natural_text)
    return found


def _visible_images(candidates: Iterable[Path], folder: Path) -> Iterator[Path]:
    is_image_folder = cache(is_zarr)
    for path in candidates:
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        parents = [folder / parent for parent in inside.parents if parent.parts]
        if hidden or any(map(is_image_folder, parents)):
            continue
        is_file = path.name.lower().endswith(IMAGE_SUFFIXES) and path.is_file()
        if is_file or is_image_folder(path):
            yield path


def _names_by_length(path: Path) -> list[str]:
    """The stem, the file's name, and the name preceded by one folder more each time."""
    folders = path.absolute().parts[1:-1]
    return [name_by_length(folders, path.name, length) for length in range(2 + len(folders))]


def _shared(names: Sequence[str]) -> set[str]:
    counts = Counter(name.casefold() for name in names)
    return {name for name, count in counts.items() if count > 1}


def _numbered(names: list[str]) -> list[str]:
    """Tell apart what no folder does: the same path given twice."""
    taken = {name.casefold() for name in names}
    seen: set[str] = set()
    unique = []
    for name in names:
        candidate, number = name, 2
        while candidate.casefold() in seen or (candidate != name and candidate.casefold() in taken):
            candidate, number = f"{name}-{number}", number + 1
        seen.add(candidate.casefold())
        unique.append(candidate)
    return unique
