"""Which addresses there are: what the page needs, and nothing else of what the parts bring."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_PAGE = "/"
_FILE = r"(?:[A-Za-z0-9_@()+~-][A-Za-z0-9_.@()+~-]*/)*[A-Za-z0-9_@()+~-][A-Za-z0-9_.@()+~-]*"
"""Names below a folder, none of which is hidden or leads upward."""
_LONGEST = 500
_STREAMS = re.compile(r"/gradio_api/(?:queue/data|heartbeat/(?P<session>[A-Za-z0-9_-]{1,64}))")
_QUEUE = re.compile(r"/gradio_api/(?:queue/join|cancel|reset)/?")
_UPLOADS = re.compile(r"/segmint/desks/[A-Za-z0-9_-]+/(?:pictures|[0-9]+/scribbles)")
_READ = re.compile(
    rf"/(?:config/?|theme\.css|favicon\.ico|manifest\.json|(?:static|assets|svelte|segmint)/{_FILE}"
    r"|gradio_api/(?:startup-events|app_id|theme\.css))?"
)
_OWN_POSTS = re.compile(r"/segmint/login")


def is_allowed(method: str, path: str) -> bool:
    """Whether there is such an address.

    Example:
        >>> is_allowed("GET", "/config"), is_allowed("POST", "/gradio_api/upload")
        (True, False)
        >>> is_allowed("GET", "/static/../config"), is_allowed("GET", "/gradio_api/file=/a")
        (False, False)
    """
    if len(path) > _LONGEST:
        return False
    if method == "POST":
        return any(form.fullmatch(path) for form in (_QUEUE, _UPLOADS, _OWN_POSTS))
    return any(form.fullmatch(path) for form in (_READ, _STREAMS))


def is_page(path: str) -> bool:
    """Whether the address is that of the page itself."""
    return path == _PAGE


def is_stream(path: str) -> bool:
    """Whether the answer goes on for as long as the tab is open."""
    return _STREAMS.fullmatch(path) is not None


def is_upload(path: str) -> bool:
    """Whether files are sent there, which are too large to be read first."""
    return _UPLOADS.fullmatch(path) is not None


def needs_visitor(path: str) -> bool:
    """Whether the answer depends on who asks."""
    return is_stream(path) or is_upload(path) or _QUEUE.fullmatch(path) is not None


def session_in(path: str, query: Mapping[str, Sequence[str]]) -> str | None:
    """The tab whose events an address asks for; None for other addresses.

    Example:
        >>> session_in("/gradio_api/heartbeat/abc", {})
        'abc'
        >>> session_in("/gradio_api/queue/data", {"session_hash": ["abc"]})
        'abc'
    """
    form = _STREAMS.fullmatch(path)
    if form is None:
        return None
    return form["session"] or "\n".join(query.get("session_hash", ()))
