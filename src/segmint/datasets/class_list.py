"""``classes.txt``: the names of classes, one a line, with their colors where masks are colored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from segmint.datasets.label_map import MOST_CLASSES
from segmint.errors import InputError

FILE = "classes.txt"

_BETWEEN = r"[\s,;:]+"
_COLOR = re.compile(
    rf"^(?P<name>.*\S){_BETWEEN}(?:#(?P<hex>[0-9a-fA-F]{{6}})"
    rf"|(?P<rgb>\d{{1,3}}{_BETWEEN}\d{{1,3}}{_BETWEEN}\d{{1,3}}))$"
)


@dataclass(frozen=True, kw_only=True)
class ClassList:
    """Names in the order of their numbers, and a color for each or for none."""

    names: tuple[str, ...]
    colors: tuple[int, ...] = ()
    """0xRRGGBB of each, or nothing."""


def read_class_list(path: Path) -> ClassList:
    """Read a file of lines such as ``road``, ``road 128 64 128`` or ``road #804080``.

    Raises:
        InputError: when it is no text, names no class or more than 255, a class or a color twice,
            or gives some classes a color and others none.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read as text, accepted is the name of a class on each line: write "
            "it again as UTF-8"
        ) from error
    rows = [_row(line, path) for line in lines if line]
    names = tuple(name for name, _ in rows)
    colors = tuple(color for _, color in rows if color is not None)
    _check(path, names, colors)
    return ClassList(names=names, colors=colors)


def _row(line: str, path: Path) -> tuple[str, int | None]:
    match = _COLOR.match(line)
    if match is None:
        return line, None
    name = match["name"].rstrip(" ,;:")
    if match["hex"]:
        return name, int(match["hex"], 16)
    red, green, blue = (int(part) for part in re.split(_BETWEEN, match["rgb"]))
    if max(red, green, blue) > 255:
        raise InputError(
            f"{path} gives {name} the color {red} {green} {blue}, accepted are three numbers from "
            "0 to 255: correct the line"
        )
    return name, red << 16 | green << 8 | blue


def _check(path: Path, names: tuple[str, ...], colors: tuple[int, ...]) -> None:
    if not 0 < len(names) <= MOST_CLASSES:
        raise InputError(
            f"{path} names {len(names)} classes, accepted are 1 to {MOST_CLASSES}, one on each line"
        )
    for what, given in (("class", names), ("color of class", colors)):
        if len(set(given)) < len(given):
            position = next(index for index, each in enumerate(given) if each in given[:index])
            raise InputError(
                f"{path} gives the {what} {names[position]!r} twice: give each its own line"
            )
    if colors and len(colors) < len(names):
        raise InputError(
            f"{path} gives {len(colors)} of {len(names)} classes a color: give all of them one, or "
            "none"
        )
