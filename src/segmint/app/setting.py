"""What the page and its addresses act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segmint.app.crew.crew import Crew
    from segmint.app.desks.desks import Desks
    from segmint.app.found_runs import FoundRun
    from segmint.app.options import LimitOptions
    from segmint.cli.inputs import RunOptions


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One server: everything that its page and its addresses share."""

    desks: Desks
    crew: Crew
    limits: LimitOptions
    runs: tuple[FoundRun, ...]
    """Those that visitors may choose from; there are no others."""
    how: RunOptions
    """How the arithmetic is done."""
