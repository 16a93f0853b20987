"""Views of slices and maps that are drawn when they are first looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segmint.app.desks.turns import Turns
from segmint.app.errand import Errand

if TYPE_CHECKING:
    from segmint.app.serving.address import Address
    from segmint.app.setting import Setting

_TURNS = Turns()
"""One view of a desk at a time: the pages of a browser ask for several at once."""


async def drawn_view(setting: Setting, address: Address) -> Path:
    """The file of a view, drawn where it is missing.

    Args:
        setting: that draws.
        address: the address.

    Raises:
        HTTPException: 404 where there is no such slice, map or answer.
        InputError: when it cannot be drawn.
    """
    picture, version, views = address.picture, address.version, address.views
    kind, index = address.view()
    if index >= picture.facts["slices"] or (kind == "picture") != (version == 0):
        address.refuse()
    path = views / f"{kind}-{index:04d}.png"
    async with _TURNS.of(address.desk.id):
        if path.is_file():
            return path
        answer = picture.answer
        # Of earlier answers only what was drawn is left.
        if version and (answer is None or answer.version != version):
            address.refuse()
        arguments = {
            "kind": kind,
            "index": index,
            "path": str(picture.file),
            "fit": str(picture.fit),
            "views": str(views),
            "large": bool(picture.facts.get("large")),
        }
        errand = Errand(name="draw", arguments=arguments, quick=True)
        await setting.crew.ask(errand, desk=address.desk.id)
    return path
