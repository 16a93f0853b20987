"""Names of files as visitors give them, made fit to be names of files here."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path, PurePosixPath

_LONGEST = 100
_LONGEST_SUFFIX = 20
_MOST_BYTES = 200
"""File systems take 255, and suffixes are added to names."""
_NO_LETTERS = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
"""Names that open a device on Windows."""
_UNNAMED = "picture"


def picture_name(given: str) -> str:
    r"""The base name, without anything that could lead elsewhere, with its suffix.

    Args:
        given: any text.

    Returns:
        1 to 100 letters, at most 200 bytes, that do not begin with a dot.

    Example:
        >>> picture_name("../../etc/a photo.png"), picture_name(r"C:\x\nul.tif")
        ('a photo.png', '_nul.tif')
    """
    base = re.split(r"[/\\]", given)[-1]
    kept = "".join(letter for letter in unicodedata.normalize("NFC", base) if _is_shown(letter))
    clean = _NO_LETTERS.sub("_", " ".join(kept.split()))
    if re.fullmatch(r"\.[A-Za-z0-9]+", clean):
        clean = f"{_UNNAMED}{clean}"  # a file that is called ".png"
    clean = clean.strip(". ")
    if _RESERVED.fullmatch(clean):
        clean = f"_{clean}"
    return _shortened(clean) or _UNNAMED


def download_name(picture: str, file: str) -> str:
    """What a file of a picture's result is called when it is saved.

    Example:
        >>> download_name("brain.nii.gz", "labels.nii.gz")
        'brain-labels.nii.gz'
    """
    from segmint.images.masks import stem_of

    return f"{stem_of(Path(picture))}-{file}"


def _is_shown(letter: str) -> bool:
    """Whether a letter is seen where it is printed; lone surrogates and such are not."""
    return unicodedata.category(letter)[0] != "C" or letter.isspace()


def _shortened(name: str) -> str:
    suffix = "".join(PurePosixPath(name).suffixes[-2:])
    if len(suffix.encode()) > _LONGEST_SUFFIX:
        suffix = ""
    stem = name[: len(name) - len(suffix)]
    stem = stem[: _LONGEST - len(suffix)]
    while len((stem + suffix).encode()) > _MOST_BYTES:
        stem = stem[:-1]
    return (stem.rstrip(". ") or _UNNAMED) + suffix if name else ""
