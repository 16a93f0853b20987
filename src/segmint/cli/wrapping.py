"""A word with its meaning, in lines as wide as the terminal."""

from __future__ import annotations

import shutil
import textwrap

from segmint.cli import console

_WIDEST, _NARROWEST = 100, 40


def print_wrapped(word: str, meaning: str) -> None:
    """Print a meaning after its word, on standard output.

    Args:
        word: padded to where the meaning begins; further lines are indented so far.
        meaning: of one line.
    """
    width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    lines = textwrap.wrap(
        meaning,
        max(width, _NARROWEST),
        initial_indent=word,
        subsequent_indent=" " * len(word),
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        console.result(line)
