"""Which visitor a tab belongs to, so that nobody listens to the tab of another."""

from __future__ import annotations

import re
from collections import OrderedDict

_MOST = 10_000
_FORM = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Sessions:
    """The tabs that were seen; browsers make their names up, and the first who uses one owns it.

    Example:
        >>> sessions = Sessions()
        >>> sessions.admits("tab", "anna"), sessions.admits("tab", "bert")
        (True, False)
    """

    def __init__(self, most: int = _MOST) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._most = most

    def admits(self, session: object, visitor: str) -> bool:
        """Whether the tab is the visitor's own; one that nobody had becomes so."""
        if not isinstance(session, str) or not _FORM.fullmatch(session):
            return False
        owner = self._owners.setdefault(session, visitor)
        if owner != visitor:
            return False
        self._owners.move_to_end(session)
        if len(self._owners) > self._most:
            self._owners.popitem(last=False)
        return True
