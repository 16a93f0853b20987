"""Which mask belongs to which image, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_NAME_ENDING = re.compile(
    r"[-_ .](masks?|gt|groundtruth|labels?|seg|segmentation|pred|prediction)$", re.IGNORECASE
)


def partners(names: Sequence[str], truths: Sequence[tuple[str, Path]]) -> list[list[Path]]:
    """The masks that fit each name: of the same name, or with an ending such as ``_mask``.

    Example:
        >>> [len(files) for files in partners(["a", "b"], [("a_mask", Path("a_mask.png"))])]
        [1, 0]
    """
    alike: dict[str, list[tuple[str, Path]]] = {}
    for truth in truths:
        alike.setdefault(bare_name(truth[0]), []).append(truth)
    taken = set(names)
    return [_best_named(name, alike.get(bare_name(name), []), taken) for name in names]


def bare_name(name: str) -> str:
    """The name without endings such as ``_mask``, ``_gt`` or ``-labels``.

    Example:
        >>> bare_name("cell7_mask")
        'cell7'
    """
    shorter = _NAME_ENDING.sub("", name)
    return name if shorter == name or not shorter else bare_name(shorter)


def some_of(names: Sequence[str]) -> str:
    """The first three names, and how many more there are.

    Example:
        >>> some_of(["a", "b", "c", "d"])
        'a, b, c and 1 more'
    """
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _best_named(name: str, truths: Sequence[tuple[str, Path]], taken: set[str]) -> list[Path]:
    """Of masks with the same bare name, the one that says it is a mask, or the one named alike."""
    fitting = [(other, file) for other, file in truths if other == name or other not in taken]
    marked = [file for other, file in fitting if other != bare_name(other)]
    alike = [file for other, file in fitting if other == name]
    for choice in (marked, alike):
        if len(choice) == 1:
            return choice
    return [file for _, file in fitting]
