"""What recipes and methods say of their options, in the words in which a comparison takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from segmint.comparisons.arm import BLANK, Arm
from segmint.errors import SegmintError
from segmint.methods import methods
from segmint.recipes import recipes

_OPTION = re.compile(r"--([a-z][a-z0-9-]*)(?: (-?\d[\d.e+-]*\b))?")
"""An option, and the number that a sentence advises for it."""

_OWN = ("dataset", "epochs", "steps")
"""Options of recipes that a comparison has, too."""


@contextmanager
def in_words_of_set(arms: Sequence[Arm]) -> Iterator[None]:
    """Within it errors speak of ``--set SECTION.NAME`` and not of options of ``segmint train``.

    Args:
        arms: whose options may be named.
    """
    try:
        yield
    except SegmintError as error:
        raise type(error)(words_of_set(str(error), arms)) from error


def words_of_set(sentence: str, arms: Sequence[Arm]) -> str:
    """A sentence with the options of arms as ``--set`` takes them.

    Example:
        >>> arms = [Arm(label="unet", way="recipe", name="unet")]
        >>> words_of_set("pass --batch-size 6 or less, or another --out", arms)
        'pass --set training.batch_size=6 or less, or another --out'
    """
    names = {name: full for arm in arms for name, full in _names(arm) if name not in _OWN}

    def reworded(found: re.Match[str]) -> str:
        full = names.get(found[1].replace("-", "_"))
        if full is None:
            return found[0]
        return f"--set {full}={found[2]}" if found[2] else f"--set {full}"

    return _OPTION.sub(reworded, sentence)


def _names(arm: Arm) -> Iterator[tuple[str, str]]:
    """Every option of an arm: its name, and its name with the section."""
    if arm.name == BLANK:
        return
    if arm.way == "method":
        yield from ((name, name) for name in methods.load(arm.name).options.names())
        return
    for section, options in recipes.load(arm.name).sections.items():
        yield from ((name, f"{section}.{name}") for name in options.names())
