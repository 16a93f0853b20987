"""Strokes on a picture: kept, written as the file that the command line takes, and acted on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segmint.app.strokes import write_scribbles
from segmint.methods import DEFAULT_METHOD, methods
from segmint.methods.method import Method

if TYPE_CHECKING:
    from segmint.app.desk import Picture
    from segmint.app.wishes import LabelFree


class Painting:
    """What is painted on one picture."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    async def keep(self, strokes: Any) -> int:
        """Keep the strokes in place of those before.

        Returns:
            How many ids they hold.

        Raises:
            InputError: for what are no strokes, or too many.
        """
        picture = self._picture
        ids = await asyncio.to_thread(
            write_scribbles,
            strokes,
            picture.base if picture.base.exists() else None,
            picture.facts["width"],
            picture.facts["height"],
            picture.scribbles,
        )
        picture.strokes = list(strokes)
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
