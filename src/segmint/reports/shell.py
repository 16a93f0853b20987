"""Lines to paste into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterable


def shell_line(words: Iterable[object]) -> str:
    """A command of segmint, quoted where a shell needs it.

    Example:
        >>> shell_line(["segment", "my cat.png", "--components", 3])
        "segmint segment 'my cat.png' --components 3"
    """
    return shlex.join(["segmint", *map(str, words)])
