"""What the values in a folder of masks mean: numbers, black and white, grey levels or colors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.class_list import ClassList
from segmint.datasets.dataset import IGNORE_INDEX
from segmint.datasets.label_map import MOST_CLASSES, LabelMap
from segmint.datasets.mask_survey import MaskFacts
from segmint.datasets.pixel_files import stored_palette
from segmint.errors import InputError
from segmint.images.palettes import palette

ENCODINGS = ("auto", "numbers", "black-and-white", "colors")

_VOID_COLOR = 0xE0E0C0
"""Of the borders in pictures of VOC masks."""
_LEAST_STEP = 16
"""Grey levels nearer to each other than this are numbers."""
_MOST_FREE_NUMBERS = 32
"""Numbers up to here are classes though few of them occur."""
_MANY_MEANINGS = (
    "; so many may be numbers of objects, which the layout nuclei reads, or shades of smoothed "
    "masks"
)
_MANY_NUMBERS = 64
"""So many classes that nobody named are more often shades."""
_BINARY = ("background", "foreground")


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoding:
    """The classes of a folder of masks, and how its values become their numbers."""

    labels: LabelMap
    classes: tuple[str, ...]
    palette: NDArray[np.uint8]
    note: str
    """What was recognized, for the user."""


def recognize_encoding(
    facts: Sequence[MaskFacts], named: ClassList | None, chosen: str = "auto"
) -> Encoding:
    """Find out what all masks of a data set hold.

    Args:
        facts: of every mask.
        named: what ``classes.txt`` says, or None where there is none.
        chosen: one of ``ENCODINGS``, where the user knows better.

    Raises:
        InputError: when masks are encoded in two ways, or hold what cannot be classes.
    """
    kind = _kind(facts) if chosen == "auto" else chosen
    if kind == "colors":
        return _colors(facts, named)
    colored = next((each for each in facts if each.colored), None)
    if colored is not None:
        raise InputError(
            f"mask {colored.path} is a color picture, accepted with encoding={kind} is one number "
            "for each pixel: pass --dataset-options encoding=colors, or save it as 8-bit grey or "
            "with a palette"
        )
    values = _values(facts)
    if values[0] < 0:
        worst = next(each for each in facts if each.values[0] < 0)
        raise InputError(
            f"mask {worst.path} holds the value {worst.values[0]}, accepted are 0 or more: save "
            "the number of a class for each pixel, and 255 where nothing is known"
        )
    if kind == "black-and-white":
        return _black_and_white(named)
    return _numbers(facts, values, named)


def _kind(facts: Sequence[MaskFacts]) -> str:
    """The one way in which all masks are encoded."""
    colored = [each for each in facts if each.colored]
    if colored:
        _refuse_two(colored[0], [each for each in facts if not each.in_color], "colors", "numbers")
        return "colors"
    white = [each for each in facts if set(each.values) == {0, 255}]
    if not white or _are_grey_levels(_values(facts)):
        return "numbers"
    numbered = [each for each in facts if set(each.values) - {0, 255}]
    if any(255 in each.values for each in numbered):
        return "numbers"  # 255 stands beside numbers, so it is what does not count
    _refuse_two(white[0], numbered, "0 and 255", "numbers")
    return "black-and-white"


def _values(facts: Sequence[MaskFacts]) -> list[int]:
    return sorted({value for each in facts for value in each.values})


def _refuse_two(first: MaskFacts, others: Sequence[MaskFacts], one: str, two: str) -> None:
    if others:
        shown = ", ".join(map(str, others[0].values[:4]))
        more = ", ..." if len(others[0].values) > 4 else ""
        raise InputError(
            f"masks are encoded in two ways: {first.path} holds {one} and {others[0].path} holds "
            f"{two} ({shown}{more}); save all masks in one way"
            f"{', or pass --dataset-options encoding=colors' if first.colored else ''}"
        )


def _black_and_white(named: ClassList | None) -> Encoding:
    names = named.names if named else _BINARY
    if len(names) != 2:
        raise InputError(
            f"masks hold 0 and 255 and classes.txt names {len(names)} classes: name 2, or save the "
            "numbers of classes in the masks"
        )
    return Encoding(
        labels=LabelMap.of({0: 0, 255: 1}, 2),
        classes=names,
        palette=_named_colors(named, 2),
        note=f"black and white masks: 0 is class 0, {names[0]}; 255 is class 1, {names[1]}",
    )


def _numbers(facts: Sequence[MaskFacts], values: list[int], named: ClassList | None) -> Encoding:
    if named is not None:
        count = len(named.names)
        numbers = {number: number for number in range(count)}
        return Encoding(
            labels=LabelMap.of({**numbers, IGNORE_INDEX: IGNORE_INDEX}, count),
            classes=named.names,
            palette=_named_colors(named, count),
            note="masks hold the numbers of classes; 255 is not counted",
        )
    if _are_grey_levels(values):
        return _grey_levels(values)
    kept = [value for value in values if value not in (IGNORE_INDEX, _wide_void(values))]
    _check_count(kept, facts)
    ignored = dict.fromkeys({IGNORE_INDEX, *values}.difference(kept), IGNORE_INDEX)
    counted = "; 255 is not counted" if IGNORE_INDEX in values else ""
    if kept[-1] >= max(_MOST_FREE_NUMBERS, 2 * len(kept)):
        numbers = {value: number for number, value in enumerate(kept)}
        return Encoding(
            labels=LabelMap.of({**ignored, **numbers}, len(kept)),
            classes=tuple(f"value {value}" for value in kept),
            palette=palette()[: len(kept)],
            note=f"masks hold {len(kept)} values up to {kept[-1]}, which become classes 0 to "
            f"{len(kept) - 1} in their order{counted}",
        )
    count = kept[-1] + 1
    return Encoding(
        labels=LabelMap.of({**ignored, **{number: number for number in range(count)}}, count),
        classes=_BINARY if kept[-1] == 1 else tuple(f"class {each}" for each in range(count)),
        palette=_file_colors(facts, count),
        note=f"masks hold numbers up to {kept[-1]}{counted}; classes.txt would name them"
        + (_MANY_MEANINGS if count > _MANY_NUMBERS else ""),
    )


def _grey_levels(values: list[int]) -> Encoding:
    count = len(values)
    shown = ", ".join(map(str, values))
    return Encoding(
        labels=LabelMap.of({value: number for number, value in enumerate(values)}, count),
        classes=tuple(f"grey {value}" for value in values),
        palette=palette()[:count],
        note=f"masks hold the grey levels {shown}, which become classes 0 to {count - 1}",
    )


def _are_grey_levels(values: list[int]) -> bool:
    """Whether values are spread evenly from black to white, three or more of them."""
    steps = len(values) - 1
    if steps < 2 or values[0] != 0 or values[-1] != 255 or 255 / steps < _LEAST_STEP:
        return False
    return all(abs(value - index * 255 / steps) <= 1 for index, value in enumerate(values))


def _wide_void(values: list[int]) -> int:
    """What 16-bit masks use in the place of 255."""
    return 65535 if 65535 in values else IGNORE_INDEX


def _check_count(kept: list[int], facts: Sequence[MaskFacts]) -> None:
    if not kept:
        raise InputError(
            f"mask {facts[0].path} and all others hold 255 alone, which is not counted: save the "
            "number of a class for each pixel"
        )
    if len(kept) > MOST_CLASSES:
        worst = max(facts, key=lambda each: len(each.values))
        raise InputError(
            f"masks hold {len(kept)} different values ({worst.path} alone {len(worst.values)}), "
            f"accepted are at most {MOST_CLASSES} classes: save masks without smoothing; numbers "
            "of single objects are read by the layout nuclei"
        )


def _colors(facts: Sequence[MaskFacts], named: ClassList | None) -> Encoding:
    found = sorted({color for each in facts for color in _colors_of(each)})
    if named is not None and named.colors:
        names, kept = named.names, list(named.colors)
    else:
        kept = [color for color in found if color != _VOID_COLOR]
        _check_count(kept, facts)
        names = tuple(f"color #{color:06x}" for color in kept)
        if named is not None:
            raise InputError(
                f"masks are colored ({', '.join(names[:3])}, ...) and classes.txt gives no colors: "
                "write one after each name, such as 'road 128 64 128'"
            )
    numbers = {color: number for number, color in enumerate(kept)}
    if _VOID_COLOR not in numbers:
        numbers[_VOID_COLOR] = IGNORE_INDEX
    return Encoding(
        labels=LabelMap.of(numbers, len(kept), colored=True),
        classes=names,
        palette=_unpacked(kept),
        note=f"colored masks: {len(kept)} colors become classes in "
        + ("the order of classes.txt" if named else "the order of their numbers; name them there"),
    )


def _colors_of(facts: MaskFacts) -> list[int]:
    if facts.colored:
        return list(facts.values)
    return [value * 0x010101 for value in facts.values if 0 <= value <= 255]


def _named_colors(named: ClassList | None, count: int) -> NDArray[np.uint8]:
    return _unpacked(list(named.colors)) if named and named.colors else palette()[:count]


def _unpacked(colors: list[int]) -> NDArray[np.uint8]:
    return np.array([list(color.to_bytes(3, "big")) for color in colors], np.uint8)


def _file_colors(facts: Sequence[MaskFacts], count: int) -> NDArray[np.uint8]:
    """The colors that a palette file gives its numbers, where it gives each its own."""
    path: Path = facts[0].path
    stored = stored_palette(path) if path.suffix.lower() == ".png" else None
    if stored is None or len(np.unique(stored[:count], axis=0)) < count:
        return palette()[:count]
    grey = np.arange(count)[:, np.newaxis].repeat(3, axis=1)
    return palette()[:count] if np.array_equal(stored[:count], grey) else stored[:count]
