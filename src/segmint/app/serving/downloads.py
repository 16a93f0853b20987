"""Results to take away: one file, or all as a ZIP."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, Response

from segmint.app.desks.turns import Turns
from segmint.app.errand import Errand
from segmint.app.page.working import save
from segmint.app.sizes import size_of
from segmint.images.collect import result_names

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from segmint.app.serving.address import Address
    from segmint.app.setting import Setting

_TURNS = Turns()
"""Files of a desk are written by one request at a time."""


async def result_file(setting: Setting, address: Address) -> Path:
    """A file of a picture's result, as it is shown now.

    Raises:
        HTTPException: 404 where the result has no such file.
        InputError: when it cannot be written.
    """
    picture, name = address.picture, address.part("file")
    async with _TURNS.of(address.desk.id):
        await save(setting, address.desk, picture)
    answer = picture.answer
    names = () if answer is None else [file["name"] for file in answer.facts["files"]]
    return picture.result / name if name in names else address.refuse()


async def archive(setting: Setting, address: Address) -> Response:
    """The results of all pictures of a desk as one ZIP.

    Raises:
        HTTPException: 404 where there is no result.
        InputError: when it cannot be written, or there is no room for it.
    """
    desk = address.desk
    pictures = [each for each in desk.pictures.values() if each.answer is not None]
    if not pictures:
        address.refuse()
    out = desk.folder / f"results-{secrets.token_hex(8)}.zip"
    response = _Once(
        out,
        media_type="application/zip",
        filename="segmint-results.zip",
        headers={"Cache-Control": "no-store"},
    )
    with setting.desks.using(desk):
        async with _TURNS.of(desk.id):
            setting.desks.room(desk)
            for picture in pictures:
                await save(setting, desk, picture)
            names = result_names([Path(each.name) for each in pictures])
            results = [str(each.result) for each in pictures]
            arguments = {
                "folders": dict(zip(names, results, strict=True)),
                "out": str(out),
                "limit": size_of("max-desk", setting.limits.max_desk),
            }
            errand = Errand(name="archive", arguments=arguments, quick=True)
            try:
                await setting.crew.ask(errand, desk=desk.id)
            except BaseException:
                out.unlink(missing_ok=True)
                raise
    return response


class _Once(FileResponse):
    """A file that is removed when it was sent, or could not be."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            Path(self.path).unlink(missing_ok=True)
