"""Our own addresses: what is too large for the queue of the page, and its scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from segmint.app.desks.desks import TooManyError
from segmint.app.desks.picture_name import download_name
from segmint.app.desks.uploads import TooLargeError, load_scribbles, open_upload
from segmint.app.guard.bodies import announced_length
from segmint.app.serving.address import DESKS, Address, address_of, checked_name
from segmint.app.serving.downloads import archive, result_file
from segmint.app.serving.drawn_views import drawn_view
from segmint.errors import SegmintError

if TYPE_CHECKING:
    from segmint.app.setting import Setting

_STATIC = Path(__file__).parents[1] / "static"
_KEPT = "private, max-age=31536000, immutable"
"""Of views: one of another version has another address."""
_NOT_KEPT = "no-store"

_SECONDS_OF_REST = 10.0
"""In which the rest of a file that was refused is read, and thrown away."""

Answering = Callable[["Setting", Request], Awaitable[Response]]


def routes(setting: Setting) -> list[Route]:
    """All addresses below ``/segmint/``; whatever else is asked for there is not found."""
    picture = f"{DESKS}/{{picture}}"
    read: dict[str, Answering] = {
        f"{picture}/views/{{version}}/{{view}}": _view,
        f"{picture}/probabilities/{{version}}": _probabilities,
        f"{picture}/files/{{file}}": _file,
        f"{picture}/scribbles.png": partial(_scribbles, base=False),
        f"{picture}/scribbles-base.png": partial(_scribbles, base=True),
        f"{DESKS}/results.zip": _archive,
        "/segmint/static/{file}": _static,
    }
    sent: dict[str, Answering] = {
        f"{DESKS}/pictures": _upload,
        f"{picture}/scribbles": _upload_scribbles,
    }
    return [
        *(Route(path, _answering(setting, each), methods=["GET"]) for path, each in read.items()),
        *(Route(path, _answering(setting, each), methods=["POST"]) for path, each in sent.items()),
        Route("/segmint/{rest:path}", _nothing, methods=["GET", "POST"]),
    ]


def _answering(setting: Setting, answer: Answering) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        try:
            return await answer(setting, request)
        except HTTPException as error:
            return PlainTextResponse(f"{error.detail}\n", error.status_code)
        except ClientDisconnect:
            return Response(status_code=400)
        except SegmintError as error:
            await _read_rest(request)
            return _failed(error)

    return answered


async def _read_rest(request: Request) -> None:
    """Let one whose file is refused send it to its end, or he would never read why."""
    # RuntimeError: there is no rest.
    with suppress(ClientDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(_SECONDS_OF_REST):
            async for _ in request.stream():
                pass


def _failed(error: SegmintError) -> Response:
    status = 429 if isinstance(error, TooManyError) else 400
    status = 413 if isinstance(error, TooLargeError) else status
    # What was not read of the file would be taken for the next request.
    headers = {"Cache-Control": _NOT_KEPT, "Connection": "close"}
    return JSONResponse({"error": str(error)}, status, headers)


async def _view(setting: Setting, request: Request) -> Response:
    found = address_of(setting, request)
    with setting.desks.using(found.desk):
        path = await drawn_view(setting, found)
    return _sent(path, found, media_type="image/png", cache=_KEPT)


async def _probabilities(setting: Setting, request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool

    from segmint.app.views.pixel_probabilities import pixel_probabilities

    found = address_of(setting, request)
    views = found.views
    x, y, index = (found.number_in_query(name) for name in ("x", "y", "slice"))
    values = await run_in_threadpool(pixel_probabilities, views, x, y, index)
    if values is None:
        found.refuse()
    return JSONResponse({"probabilities": values}, headers={"Cache-Control": _NOT_KEPT})


async def _file(setting: Setting, request: Request) -> Response:
    found = address_of(setting, request)
    with setting.desks.using(found.desk):
        path = await result_file(setting, found)
    return _sent(path, found, name=path.name)


async def _scribbles(setting: Setting, request: Request, *, base: bool) -> Response:
    found = address_of(setting, request)
    picture = found.picture
    path = picture.base if base else picture.scribbles
    return _sent(path, found, media_type="image/png", name=None if base else path.name)


async def _archive(setting: Setting, request: Request) -> Response:
    return await archive(setting, address_of(setting, request))


async def _upload(setting: Setting, request: Request) -> Response:
    found = address_of(setting, request)
    picture = await open_upload(
        setting.desks,
        setting.crew,
        found.desk,
        request.query_params.get("name", ""),
        request.stream(),
        announced_length(request.headers),
    )
    return JSONResponse({"picture": picture.number, "name": picture.name, **picture.facts})


async def _upload_scribbles(setting: Setting, request: Request) -> Response:
    found = address_of(setting, request)
    told = await load_scribbles(
        setting.desks,
        setting.crew,
        found.desk,
        found.picture,
        request.stream(),
        announced_length(request.headers),
    )
    return JSONResponse(told)


async def _static(setting: Setting, request: Request) -> Response:
    response = await _STATIC_FILES.get_response(checked_name(request), request.scope)
    response.headers["Cache-Control"] = "no-cache"
    return response


async def _nothing(request: Request) -> Response:
    return PlainTextResponse("there is nothing here: open the first page\n", 404)


def _sent(
    path: Path,
    found: Address,
    *,
    media_type: str | None = None,
    name: str | None = None,
    cache: str = _NOT_KEPT,
) -> Response:
    """A file as it is; with a name to be saved under, which begins with that of the picture."""
    if not path.is_file():
        found.refuse()
    if name is not None:
        name = download_name(found.picture.name, name)
    return FileResponse(
        path, media_type=media_type, filename=name, headers={"Cache-Control": cache}
    )


_STATIC_FILES = StaticFiles(directory=_STATIC)
