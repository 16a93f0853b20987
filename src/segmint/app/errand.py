"""What the server has done by another process, and what it is told of it.

The server itself opens no image and computes nothing: a file that brings a process down, or takes
all memory, or never ends, costs one process that is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from segmint.registry import Registry

errands = Registry("errand")
errands.register(
    "open", "segmint.app.errands.opening:open_picture", "read an image and draw it for the page"
)
errands.register("draw", "segmint.app.errands.drawing:draw_view", "a slice, labels or a map")
errands.register("segment", "segmint.app.errands.segmenting:segment_picture", "without labels")
errands.register("change", "segmint.app.errands.changing:change_result", "cut, merge or name")
errands.register("save", "segmint.app.errands.changing:save_result", "write the changed result")
errands.register("scribbles", "segmint.app.errands.scribbling:read_scribbles", "read a loaded file")
errands.register("predict", "segmint.app.errands.predicting:predict_picture", "by a run")
errands.register("archive", "segmint.app.errands.archiving:write_archive", "results as one ZIP")


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What a process is to do."""

    name: str
    """One of ``errands``."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    quick: bool = False
    """Takes far less than a second, and is not to wait behind what takes long."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is told of an errand; the last one is ``done`` or ``failed``, and nothing comes after.

    ``data`` holds by kind: ``waiting`` how many are ``ahead``; ``progress`` blocks or iterations
    ``done`` of ``total`` (None where unknown) and a ``text``; ``frame`` the PNG ``labels`` of a
    view as bytes, the ``iteration`` and ``of`` how many (or None); ``done`` what the errand
    returned; ``failed`` the ``sentence`` that the command line would say.
    """

    kind: Literal["waiting", "progress", "frame", "done", "failed"]
    data: Mapping[str, Any] = field(default_factory=dict)


class Telling(Protocol):
    """How an errand, the first argument of its function, tells of itself."""

    @property
    def is_stopped(self) -> bool:
        """Whether the visitor asked to stop; an errand that can ends with what it has."""
        ...

    def progress(self, done: int, total: int | None, text: str = "") -> None:
        """Tell how far it is; told too often, some are left out."""
        ...

    def frame(self, labels: bytes, iteration: int, of: int | None) -> None:
        """Show labels as they are; told too often, some are left out."""
        ...
