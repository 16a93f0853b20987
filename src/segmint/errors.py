"""What can go wrong, as one small hierarchy.

Every message is one sentence: what is wrong, what was received, what is accepted, what to do.
The command line prints the message alone and leaves with ``exit_code``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHOWN = 64
"""Letters of a name that a message shows."""


class SegmintError(Exception):
    """Base of everything segmint raises on purpose."""

    exit_code = 1


class UsageError(SegmintError):
    """An option, name or value that does not exist or does not fit."""

    exit_code = 2


class InputError(SegmintError):
    """A file or array that cannot be used."""


class OutputError(SegmintError):
    """A result that cannot be written."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence end that offers the nearest known name, or lists all of them.

    Example:
        >>> nearest("hybird", ["clustering", "hybrid"])
        "did you mean 'hybrid'? Known: clustering, hybrid"
    """
    names = sorted(known)
    close = nearest_name(name, names)
    listing = f"Known: {', '.join(names)}"
    return f"did you mean {close!r}? {listing}" if close else listing


def shortened(text: str) -> str:
    """A text as messages show it, for a name may be a file that was pasted.

    Example:
        >>> shortened("unet"), len(shortened("x" * 3000))
        ('unet', 67)
    """
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like a given one, or None when none is like it."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return close[0] if close else None
