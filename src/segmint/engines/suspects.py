"""Images whose worker died: one of them may have killed it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from segmint.engines.item import Item
from segmint.engines.outcome import Outcome
from segmint.engines.workers import Died

_DEATHS = 2
"""Of workers that live on machines that live on, after which an image has failed."""
_LOSSES = 5
"""Of workers that went with their machines, after which it has, too."""


@dataclass(slots=True)
class _Case:
    deaths: int = 0
    losses: int = 0


class Suspects:
    """Images that are done again one by one, so that the one that kills is found.

    An innocent image is done; one whose worker dies again has failed.
    """

    def __init__(self) -> None:
        self._cases: dict[int, _Case] = {}
        self._waiting: deque[Item] = deque()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def take(self) -> Item:
        """The next, to be done with nothing beside it."""
        return self._waiting.popleft()

    def put_back(self, items: Iterable[Item]) -> None:
        """Suspects that were not tried to the end, through no death."""
        self._waiting.extend(items)

    def acquit(self, number: int) -> None:
        """Forget an image that has ended."""
        if self._cases:
            self._cases.pop(number, None)

    def blame(self, items: Iterable[Item], death: Died) -> Iterator[Outcome]:
        """Hold a death against the images of which nothing was told; those that failed by it."""
        for item in items:
            case = self._cases.setdefault(item.number, _Case())
            case.deaths += death.by_itself
            case.losses += not death.by_itself
            if case.deaths < _DEATHS and case.losses < _LOSSES:
                self._waiting.append(item)
            else:
                self.acquit(item.number)
                sentence = _sentence(item, case, death.reason)
                yield Outcome(number=item.number, state="failed", sentence=sentence)


def _sentence(item: Item, case: _Case, reason: str) -> str:
    name = item.image
    if case.deaths < _DEATHS:
        return (
            f"{name} was begun {case.losses} times and each time the machine was lost ({reason}): "
            "see why machines go, or leave it out"
        )
    if re.search(r"\bsignal 9\b", reason):
        return (
            f"{name} killed its process twice ({reason}), as happens when memory runs out: "
            "give fewer --workers, or a smaller image"
        )
    return f"{name} killed its process twice ({reason}): leave it out, or save it anew"
