"""What the checkpoint of a training tells beside tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from segmint.solvers.checkpoints import damaged
from segmint.solvers.progress import Progress


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """The facts of ``last.ckpt`` and ``best.ckpt``."""

    progress: Progress
    """At the end of the epoch that the checkpoint is of."""
    updates: int
    """Of the averages of weights."""
    fixed: Mapping[str, Any]
    """What must be the same when the training goes on."""

    def told(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {"progress": self.progress.facts(), "updates": self.updates, "fixed": self.fixed}

    @classmethod
    def read(cls, path: Path, facts: Mapping[str, Any]) -> Self:
        """What :meth:`told` told.

        Args:
            path: of the checkpoint, for the message.
            facts: of it.

        Raises:
            InputError: when no training can have told that.
        """
        try:
            progress = Progress.from_facts(facts.get("progress"))
        except ValueError as error:
            raise damaged(path, error) from error
        updates, fixed = facts.get("updates"), facts.get("fixed")
        if type(updates) is not int or updates < 0:
            raise damaged(path, "it does not tell how often weights were averaged")
        if not isinstance(fixed, dict):
            raise damaged(path, "it does not tell the options that must stay")
        return cls(progress=progress, updates=updates, fixed=fixed)
