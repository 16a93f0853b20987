"""From what a user names to the list of images, and a name for each result."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from segmint.errors import InputError
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


def collect_images(inputs: Sequence[str | Path], *, recursive: bool = False) -> list[Path]:
    """The image files meant by files, folders and wildcards.

    A file is taken whatever its name, and so is the folder of a Zarr image. Any other folder gives
    the files in it with an image suffix and the Zarr images, hidden ones apart, and so does a
    pattern such as ``cells/*.png`` that the shell left unexpanded. Each expansion is in natural
    order (``9`` before ``10``), a file named twice is taken once.

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
        try:
            paths = _expand(Path(item), recursive)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its name is not a path"
            raise InputError(
                f"{item} cannot be opened ({reason}), accepted are image files, folders and "
                "patterns: check the name and its permissions"
            ) from error
        for path in paths:
            found.setdefault(path.parent.resolve() / path.name, path)
    return list(found.values())


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


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sort key that counts digits as numbers: ``cell9`` before ``cell10``."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)


def nearest_file(path: Path) -> str:
    """A sentence end for a file that is missing: the nearest name in its folder."""
    beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.75)
    return f"did you mean {close[0]!r}?" if close else "check the folder and the name"


def _expand(path: Path, recursive: bool) -> list[Path]:
    if is_zarr(path):
        return [path]
    if path.is_dir():
        images = _images(path.rglob("*") if recursive else path.iterdir(), path)
        if not images:
            inside = "" if recursive else "or look into its folders with --recursive"
            raise InputError(
                f"folder {path} holds no image, accepted are {_ACCEPTED}: "
                f"name another folder {inside}".rstrip()
            )
        return images
    if path.exists():
        return [path]
    if _WILDCARDS.search(str(path)):
        images = _matches(path)
        if not images:
            raise InputError(
                f"{path} matches no image, accepted are {_ACCEPTED}: "
                "check the folder and the pattern"
            )
        return images
    raise InputError(
        f"{path} does not exist, accepted are image files, folders and patterns: "
        f"{nearest_file(path)}"
    )


def _matches(pattern: Path) -> list[Path]:
    parts = pattern.parts
    first = next(index for index, part in enumerate(parts) if _WILDCARDS.search(part))
    folder = Path(*parts[:first])
    return _images(folder.glob(str(Path(*parts[first:]))), folder) if folder.is_dir() else []


def _images(candidates: Iterable[Path], folder: Path) -> list[Path]:
    return sorted(_visible_images(candidates, folder), key=natural_key)


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
    names = [_stem(path.name), path.name]
    for folder in reversed(path.absolute().parts[1:-1]):
        names.append(f"{folder}-{names[-1]}")
    return names


def _stem(name: str) -> str:
    for suffix in _COMPOUND_SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return Path(name).stem


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
