"""Who a visitor is: the value of one cookie, made up by the server."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

VISITOR_COOKIE = "segmint-visitor"

_FORM = re.compile(r"[A-Za-z0-9_-]{22}")


def new_visitor() -> str:
    """A value of 128 bits that nobody can guess.

    Example:
        >>> len(new_visitor()), new_visitor() == new_visitor()
        (22, False)
    """
    return secrets.token_urlsafe(16)


def visitor_of(cookies: Mapping[str, str]) -> str | None:
    """The visitor that cookies speak of; None where there is none, or nothing we made.

    Example:
        >>> visitor_of({VISITOR_COOKIE: "../etc/passwd"}) is None
        True
    """
    value = cookies.get(VISITOR_COOKIE, "")
    return value if _FORM.fullmatch(value) else None
