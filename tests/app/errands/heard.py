"""What an errand told, kept for a test."""

from __future__ import annotations


class Heard:
    """A ``Telling`` that remembers; it is stopped when so many blocks or files were told of."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.told: list[tuple[int, int | None, str]] = []
        self.frames: list[tuple[bytes, int, int | None]] = []
        self._stop_at = stop_at

    @property
    def is_stopped(self) -> bool:
        return self._stop_at is not None and len(self.told) >= self._stop_at

    def progress(self, done: int, total: int | None, text: str = "") -> None:
        self.told.append((done, total, text))

    def frame(self, labels: bytes, iteration: int, of: int | None) -> None:
        self.frames.append((labels, iteration, of))
