"""Files that a message to the queue names, where none may be named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MARK = "path"
"""What Gradio takes for a file is a mapping with this key: it would copy the file, or fetch it."""


def names_a_file(told: Any) -> bool:
    """Whether anything in plain data, however deep, would be taken for a file of the server.

    Args:
        told: what JSON makes.

    Example:
        >>> names_a_file({"data": ["hybrid", [5, {"path": "/etc/passwd"}]]})
        True
        >>> names_a_file({"data": ["path"], "event_data": {"names": {"0": "path"}}})
        False
    """
    left = [told]
    while left:
        value = left.pop()
        if isinstance(value, Mapping):
            if _MARK in value:
                return True
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
    return False
