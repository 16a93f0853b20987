"""An errand with all that the server knows of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from segmint.app.crew.inbox import Inbox
from segmint.app.crew.messages import Request
from segmint.app.errand import Told


@dataclass(kw_only=True, eq=False)
class Job:
    """One errand, from when it is accepted until its last word."""

    request: Request
    desk: str
    inbox: Inbox = field(default_factory=Inbox)
    ahead: int | None = None
    """How many wait before it, as was told last."""
    started: float = 0.0
    """When a process got it."""
    begun: bool = False
    """Whether the process said so: a process that dies before did not die of it."""
    tries: int = 0
    stop_by: float | None = None
    """When it has to have ended, once it was asked to."""
    verdict: Told | None = None
    """Why its process is being killed."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Nothing of it runs any more."""

    def tell(self, told: Told) -> None:
        """Pass on what is told of it; the last word ends it."""
        self.inbox.put(told)
        if self.inbox.is_over:
            self.over.set()

    def tell_place(self, ahead: int) -> None:
        """Say how many wait before it, if that has changed."""
        if ahead != self.ahead:
            self.ahead = ahead
            self.tell(Told(kind="waiting", data={"ahead": ahead}))
