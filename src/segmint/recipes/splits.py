"""What a training learns from, and what it is validated on."""

from __future__ import annotations
