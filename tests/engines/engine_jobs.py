"""Jobs of the tests: what they do stands in the names of the images."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from segmint.engines.item import Item
from segmint.engines.job import Seat
from segmint.engines.outcome import Outcome
from segmint.errors import InputError, OutputError


@dataclass(frozen=True, kw_only=True)
class TrialJob:
    """Opens, or does not."""

    opening: str = ""

    def open(self, seat: Seat) -> TrialWork:
        if self.opening == "refuse":
            raise InputError("the weights are damaged")
        if self.opening == "fault":
            raise KeyError("weights")
        if self.opening == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return TrialWork(seat)


class TrialWork:
    """Does what the name of the image says."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    def do(self, items: Sequence[Item]) -> Iterator[Outcome]:
        for item in items:
            told = self._do(*item.image.partition(":")[::2])
            yield Outcome(number=item.number, state="done", told={"pid": os.getpid(), **told})

    def _do(self, what: str, argument: str) -> dict[str, object]:
        if what == "die":
            os.kill(os.getpid(), int(argument))
        elif what == "leave":
            os._exit(int(argument))
        elif what == "sleep":
            time.sleep(float(argument))
        elif what == "full":
            raise OutputError("cannot write OUT: the disk is full")
        elif what == "fault":
            raise KeyError(argument)
        elif what == "unsendable":
            return {"it": lambda: None}
        elif what == "half":
            _write_half(Path(argument))
        elif what == "threads":
            return {"threads": _threads()}
        return {"device": self._seat.device, "workers": self._seat.workers}


def _write_half(path: Path) -> None:
    """As long as this lasts there is a file, and afterwards, too, if the process is killed."""
    try:
        path.write_text("half")
        time.sleep(60)
    finally:
        path.unlink()


def _threads() -> list[int]:
    """Of every library with threads of its own."""
    import scipy.linalg  # noqa: F401
    import sklearn.cluster  # noqa: F401
    import torch
    from threadpoolctl import threadpool_info

    return [torch.get_num_threads(), *(each["num_threads"] for each in threadpool_info())]
