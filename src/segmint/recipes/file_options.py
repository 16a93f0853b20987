"""How recipes that learn from images alone find and read them."""

from __future__ import annotations

from dataclasses import dataclass

from segmint.images.choices import MAX_PIXELS, PAGE_CHOICES
from segmint.options import Options, option


@dataclass(frozen=True, kw_only=True)
class FileOptions(Options):
    """How images without masks are found and read."""

    recursive: bool = option(False)
    """Look into the folders of the folder, too."""
    pages: str = option("auto", choices=PAGE_CHOICES)
    """What the pages of a multi-page file are."""
    max_pixels: int = option(MAX_PIXELS, low=1, high=2**62)
    """Refuse files that announce more pixels than this."""
    sample: int | None = option(None, low=1)
    """Learn from so many images, at equal steps through all that were named; else from all."""
