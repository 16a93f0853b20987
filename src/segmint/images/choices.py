"""What options about images may be, in a file that imports nothing, so that help stays quick."""

from __future__ import annotations

PAGE_CHOICES: tuple[str, ...] = ("auto", "channels", "stack", "first")
"""What the pages of a file are."""

NORMALIZATIONS: tuple[str, ...] = ("none", "z-score", "percentile", "min-max")
"""Of each channel of an image."""

MAX_PIXELS = 178_956_970
"""Largest image read unless more is asked for; up to four channels of a pixel count as one."""
