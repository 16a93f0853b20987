"""The line that says what is going on, or what went wrong."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Status:
    """One sentence for the visitor."""

    text: str = ""
    kind: Literal["said", "busy", "failed"] = "said"
    share: float | None = None
    """How much is done, 0 to 1, where that is known."""

    @property
    def html(self) -> str:
        """As it stands on the page; screen readers speak errors at once."""
        role = "alert" if self.kind == "failed" else "status"
        bar = ""
        if self.share is not None:
            done = round(100 * min(max(self.share, 0.0), 1.0))
            bar = f'<progress max="100" value="{done}" aria-label="done, in percent"></progress>'
        text = html.escape(self.text)
        return f'<p class="status {self.kind}" role="{role}">{text}{bar}</p>'

    @classmethod
    def of_waiting(cls, data: Mapping[str, Any]) -> Status:
        """Of a job in the queue."""
        ahead = int(data["ahead"])
        others = "1 other job is" if ahead == 1 else f"{ahead} other jobs are"
        return cls(f"waiting: {others} before this one" if ahead else "starting", "busy")

    @classmethod
    def of_progress(cls, data: Mapping[str, Any], name: str) -> Status:
        """Of a job that says how far it is."""
        done, total, text = data["done"], data["total"], data["text"]
        what = f" {text}" if text else ""
        if not total:
            return cls(f"{name}: {done}{what}", "busy")
        return cls(f"{name}: {done} of {total}{what}", "busy", done / total)
