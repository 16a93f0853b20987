"""No page may load anything from another machine; one that does stops a strict build."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.structure.pages import Page

_TAG = re.compile(r"<(?:script|img|link|iframe|source|video|audio)\b[^>]*>")
_ELSEWHERE = re.compile(r"""\b(?:src|href|srcset)\s*=\s*["']?((?:https?:)?//[^"'\s>]+)""")

log = logging.getLogger("mkdocs.hooks.no_requests")


def on_post_page(output: str, page: Page, **kwargs: Any) -> str:
    """Look through the page as it is written."""
    for address in loaded_from_elsewhere(output):
        log.warning("%s loads %s: keep a copy among the pages", page.file.src_uri, address)
    return output


def loaded_from_elsewhere(html: str) -> list[str]:
    """Addresses of other machines that a browser asks for when it shows a page; links are none."""
    return [found for tag in _TAG.findall(html) for found in _ELSEWHERE.findall(tag)]
