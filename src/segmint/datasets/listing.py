"""What a data set's folders and lists name, and the pairs that come of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from segmint.datasets.dataset import Pair
from segmint.datasets.prepared_folder import is_folder
from segmint.errors import InputError
from segmint.images.collect import IMAGE_SUFFIXES, natural_key
from segmint.images.mask_names import some_of


def files_in(folder: Path, suffixes: Iterable[str] = IMAGE_SUFFIXES) -> dict[str, Path]:
    """The files of a folder by their name without suffix, in natural order.

    Hidden ones and folders inside are left out.

    Args:
        folder: where they are; one that does not exist has none.
        suffixes: accepted ends of a name, which may be longer than a suffix
            (``_leftImg8bit.png``) and are not part of the key.

    Raises:
        InputError: when two files differ in their suffix alone.
    """
    if not is_folder(folder):
        return {}
    found: dict[str, Path] = {}
    ends = sorted(suffixes, key=len, reverse=True)
    for path in sorted(folder.iterdir(), key=natural_key):
        lower = path.name.lower()
        end = next((end for end in ends if lower.endswith(end.lower())), None)
        if end is None or lower.startswith(".") or is_folder(path):
            continue
        first = found.setdefault(path.name[: -len(end)], path)
        if first is not path:
            raise InputError(
                f"folder {folder} holds {first.name} and {path.name}, and it is not known which "
                "is meant: keep one of them"
            )
    return found


def read_list(path: Path) -> list[list[str]]:
    """The lines of a text file, each as its words; empty lines are left out.

    Raises:
        InputError: when it is absent, no text, or names nothing.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read as a list of images: restore the file of the data set"
        ) from error
    listed = [line.split() for line in lines if line.strip()]
    if not listed:
        raise InputError(
            f"{path} is an empty list, so its split has no image: restore the file of the data set"
        )
    return listed


def stem_in_list(word: str) -> str:
    """The name of a file that a list names by its stem or by a path of another machine.

    Example:
        >>> stem_in_list("/SegNet/CamVid/train/0001TP_006690.png"), stem_in_list("2007_000032")
        ('0001TP_006690', '2007_000032')
    """
    name = PurePosixPath(word.replace("\\", "/")).name
    end = next((end for end in IMAGE_SUFFIXES if name.lower().endswith(end)), "")
    return name[: len(name) - len(end)]


def pairs_of(
    names: Sequence[str],
    images: Mapping[str, Path],
    masks: Mapping[str, Path],
    *,
    source: Path,
    needs_masks: bool = True,
) -> tuple[Pair, ...]:
    """The pair of each name.

    Args:
        names: in the order of the pairs.
        images: file of each name.
        masks: likewise.
        source: the list or folder that the names are from, for messages.
        needs_masks: refuse an image without a mask; otherwise nothing is known of it.

    Raises:
        InputError: when there is no name, one occurs twice, or a file is absent.
    """
    if not names:
        raise InputError(f"{source} has no image: name a folder that is complete, or another split")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{source} lists {twice} twice: list each image once")
    for what, files in (("image", images), ("mask", masks)):
        absent = [name for name in names if name not in files]
        if absent and (what == "image" or needs_masks):
            raise InputError(
                f"{source} lists {len(names)} images and {len(absent)} of them have no {what} file "
                f"({some_of(absent)}): complete the data set, or take them off the list"
            )
    return tuple(Pair(image=images[name], mask=masks.get(name), name=name) for name in names)
