"""Strokes on a picture: kept, written as the file that the command line takes, and acted on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segmint.app.views.strokes import MOST_IDS, write_scribbles
from segmint.methods import DEFAULT_METHOD, methods
from segmint.methods.method import Method

if TYPE_CHECKING:
    from segmint.app.desks.desk import Picture
    from segmint.app.page.wishes import LabelFree


_OF_A_STROKE = ("id", "width", "points")


class Painting:
    """What is painted on one picture."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._ids: list[int] = []

    @property
    def names(self) -> dict[int, str]:
        """Of the ids that are painted, those that have a name."""
        painted = self._ids
        return {each: name for each, name in self._picture.stroke_names.items() if each in painted}

    async def keep(self, sent: Mapping[str, Any]) -> int:
        """Keep the strokes in place of those before.

        Args:
            sent: ``strokes``; ``base``, whether they lie over a loaded file; ``names`` of ids.

        Returns:
            How many ids they hold.

        Raises:
            InputError: for what are no strokes, too many, or a picture that takes none.
        """
        picture, strokes = self._picture, sent.get("strokes")
        picture.check_can_paint()
        self._ids = ids = await asyncio.to_thread(
            write_scribbles,
            strokes,
            picture.base if sent.get("base") and picture.base.exists() else None,
            picture.facts["width"],
            picture.facts["height"],
            picture.scribbles,
        )
        picture.strokes = [{name: each[name] for name in _OF_A_STROKE} for each in strokes or ()]
        picture.stroke_names = _checked_names(sent.get("names"))
        if not ids:
            picture.scribbles.unlink(missing_ok=True)
        return len(ids)

    def guided(self, wish: LabelFree) -> LabelFree:
        """The wish by these strokes: their number decides that of the components."""
        method: Method = methods.load(wish.method)
        if not method.takes_scribbles:
            return replace(wish, method=DEFAULT_METHOD, preset=None, given={}, scribbles=True)
        given = {name: value for name, value in wish.given.items() if name != "components"}
        return replace(wish, given=given, scribbles=True)


def _checked_names(given: Any) -> dict[int, str]:
    """Names of ids, as far as they are such."""
    if not isinstance(given, dict):
        return {}
    known = {str(number): number for number in range(MOST_IDS)}
    return {
        known[number]: name
        for number, name in given.items()
        if number in known and isinstance(name, str) and name.strip()
    }
