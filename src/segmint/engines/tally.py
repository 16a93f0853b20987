"""What came out of a collection, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

OTHER = "other_options"
"""In what is told of a skipped image: whether its result was made with other options."""


@dataclass(kw_only=True)
class Tally:
    """How the images of a collection ended, in this command and before."""

    total: int
    """Images of the collection."""
    before: int = 0
    """Those that had ended before this command."""
    done: int = 0
    failed: int = 0
    skipped: int = 0
    """Those whose results were there, though the manifest did not know of them."""
    other: int = 0
    """Of those skipped, results that were made with other options."""
    seconds: float = 0.0

    @property
    def finished(self) -> int:
        """Images that have ended, in this command or before."""
        return self.before + self.done + self.failed + self.skipped

    @property
    def unreached(self) -> int:
        """Images that have not ended."""
        return self.total - self.finished
