"""Why an errand failed, as the visitor reads it: what is wrong, and what to do."""

from __future__ import annotations

import signal
from typing import Literal

from segmint.app.errand import Told
from segmint.errors import SegmintError, UsageError

Cause = Literal["errand", "unexpected", "stopped", "refused", "time", "memory", "killed", "closed"]
"""Who or what ended it: the errand's own word, a fault in it, the visitor, the server's limits,
the system, or the end of the server."""

_SMALLER = "take a smaller image, fewer components or fewer iterations"
_LETTERS = 600
"""Of an error that nobody wrote for visitors."""


def failure(sentence: str, cause: Cause, *, usage: bool = False) -> Told:
    """The last word of an errand that failed.

    Args:
        sentence: what the visitor reads.
        cause: for those who answer by it.
        usage: whether an option or value was wrong, and not a file.
    """
    data = {"sentence": sentence, "cause": cause, "usage": usage}
    return Told(kind="failed", data=data)


def of_error(error: Exception) -> Told:
    """What an errand raised."""
    if isinstance(error, SegmintError):
        return failure(str(error), "errand", usage=isinstance(error, UsageError))
    if isinstance(error, MemoryError):
        return failure(f"there is not enough memory for it: {_SMALLER}", "memory")
    reason = " ".join(str(error).split())[:_LETTERS]
    return failure(f"unexpected {type(error).__name__}: {reason}", "unexpected")


def too_slow(seconds: float, *, quick: bool) -> Told:
    """It took more than its time."""
    cure = "" if quick else ", or start the page with a larger --time-limit"
    sentence = (
        f"it was not done within {seconds:g} s, the limit here, and was ended: {_SMALLER}{cure}"
    )
    return failure(sentence, "time")


def too_large(memory: int, limit: int) -> Told:
    """It took more than its memory."""
    from segmint.datasets.available_memory import in_gibibytes

    sentence = (
        f"it needed {in_gibibytes(memory)} of memory, more than the {in_gibibytes(limit)} allowed "
        f"here, and was ended: {_SMALLER}, or start the page with a larger --max-memory"
    )
    return failure(sentence, "memory")


def died(code: int | None) -> Told:
    """Its process ended without its last word."""
    if code == -9:
        how = (
            "was killed (signal 9), as happens when memory runs out: try again, or "
            f"{_SMALLER}, or start the page with fewer --jobs"
        )
    else:
        how = f"broke down ({_ending(code)}): try again, or try another image"
    return failure(f"the process that worked on it {how}", "killed")


def not_started(code: int | None) -> Told:
    """There is no process to do it."""
    sentence = (
        f"no process could be started for it ({_ending(code)}): try again, and see the log of "
        "the server if it happens again"
    )
    return failure(sentence, "killed")


def crowded(waiting: int) -> Told:
    """Too many wait already."""
    return failure(f"{waiting} others wait already: try again in a few minutes", "refused")


def engaged() -> Told:
    """The same desk has a long errand already."""
    return failure("this page already works on an image: wait for it or stop it first", "refused")


def stopped() -> Told:
    """The visitor wanted no more of it."""
    return failure("stopped", "stopped")


def closed() -> Told:
    """The server ends."""
    return failure("the page is shut down: start it again", "closed")


def _ending(code: int | None) -> str:
    if code is None:
        return "the system refused"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
