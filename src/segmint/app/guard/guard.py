"""What stands before every request: who may ask, for what, and how much may be sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from segmint.app.guard.allowed import (
    is_allowed,
    is_page,
    is_stream,
    is_upload,
    needs_visitor,
    session_in,
)
from segmint.app.guard.bodies import announced_length, replayed, whole_body
from segmint.app.guard.hosts import Hosts, is_same_origin
from segmint.app.guard.login import LOGIN, Entry
from segmint.app.guard.named_files import names_a_file
from segmint.app.guard.security_headers import with_headers
from segmint.app.guard.sessions import Sessions
from segmint.app.guard.stopping import Stopping
from segmint.app.guard.visitor import VISITOR_COOKIE, new_visitor, visitor_of
from segmint.errors import shortened

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

MOST_BODY = 4 * 2**20
"""Bytes of one request that is no upload."""

_NOTHING = "there is nothing here: open the first page"
_NO_TAB = "there is no such tab of yours: open the page anew"


class Guard:
    """An ASGI application around another, which gets only what is allowed.

    Args:
        app: what answers.
        hosts: names of this server.
        entry: asks for a token or password, where one is needed.
        stopping: ends streams when the server does.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Hosts,
        entry: Entry | None = None,
        stopping: Stopping | None = None,
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._entry = entry
        self._stopping = stopping or Stopping()
        self._sessions = Sessions()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, the start of the server, or its end."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.requests import Request

        request = Request(scope, receive)
        cookie = None
        if is_page(scope["path"]) and visitor_of(request.cookies) is None:
            cookie = f"{VISITOR_COOKIE}={new_visitor()}; HttpOnly; Path=/; SameSite=lax"
        safe = with_headers(send, cookie=cookie)
        refusal = self._refused(request) or await self._at_the_door(request)
        if refusal is not None:
            await refusal(scope, receive, safe)
        elif request.method != "POST" or is_upload(scope["path"]):
            await self._streamed(scope, receive, safe)
        else:
            await self._read_first(request, receive, safe)

    async def _streamed(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_stream(scope["path"]):
            await self._stopping.run(self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _read_first(self, request: Request, receive: Receive, send: Send) -> None:
        """Requests that are small: read whole, looked into, and handed on."""
        announced = announced_length(request.headers)
        is_small = announced is None or announced <= MOST_BODY
        body = await whole_body(receive, most=MOST_BODY if is_small else 0)
        if body is None:
            most = MOST_BODY // 2**20
            refusal = _sentence(413, f"the request is larger than {most} MiB: send less")
            refusal.headers["Connection"] = "close"
            await refusal(request.scope, receive, send)
        else:
            answer = self._unfit(body, request) or self._app
            await answer(request.scope, replayed(body, receive), send)

    def _unfit(self, body: bytes, request: Request) -> Response | None:
        """Refuse what is said to the queue in the tab of another, or names files."""
        visitor = visitor_of(request.cookies)
        if visitor is None or not needs_visitor(request.scope["path"]):
            return None
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            told = None
        is_own = isinstance(told, dict) and (
            "session_hash" not in told or self._sessions.admits(told["session_hash"], visitor)
        )
        if not is_own:
            return _sentence(404, _NO_TAB)
        if names_a_file(told):
            return _sentence(400, "files are not named here: drop them onto the page")
        return None

    def _refused(self, request: Request) -> Response | None:
        """What is wrong with a request, whoever sends it."""
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not self._hosts.accepts(hosts[0]):
            said = shortened(ascii(hosts[0])) if hosts else "nothing"
            return _sentence(
                403,
                f"the name of this server was given as {said}, accepted are the names it was "
                "started with: open the address that was printed at the start",
            )
        if request.method not in ("GET", "HEAD", "POST"):
            return _sentence(405, "accepted are GET, HEAD and POST")
        if not is_allowed(request.method, request.scope["path"]):
            return _sentence(404, _NOTHING)
        if not _is_from_here(request, hosts[0]):
            return _sentence(403, "another site asked for this: open the page itself")
        return self._foreign(request)

    def _foreign(self, request: Request) -> Response | None:
        """Refuse the tab of another visitor, and visitors who cannot be told apart."""
        path = request.scope["path"]
        visitor = visitor_of(request.cookies)
        if not needs_visitor(path):
            return None
        if visitor is None:
            return _sentence(403, "this page needs its cookie: allow cookies, and load it again")
        query = parse_qs(request.url.query, max_num_fields=None)
        session = session_in(path, query)
        if session is not None and not self._sessions.admits(session, visitor):
            return _sentence(404, _NO_TAB)
        return None

    async def _at_the_door(self, request: Request) -> Response | None:
        """The log-in, for those who need it; None for those who are in."""
        from starlette.responses import RedirectResponse

        path = request.scope["path"]
        if self._entry is None:
            return _sentence(404, _NOTHING) if path == LOGIN else None
        if not self._entry.admits(request.cookies):
            return await self._entry.answer(request)
        if path == LOGIN or (is_page(path) and "token" in request.query_params):
            return RedirectResponse("/", 303)
        return None


def _is_from_here(request: Request, host: str) -> bool:
    """Whether our own page, or the visitor, asked, and not the page of another site."""
    origin = request.headers.get("origin")
    if request.method == "POST" and origin is not None and not is_same_origin(origin, host):
        return False
    site = request.headers.get("sec-fetch-site", "none")
    if site in ("same-origin", "none"):
        return True
    # A link elsewhere may lead to the page, as links do.
    return request.method != "POST" and request.headers.get("sec-fetch-mode") == "navigate"


def _sentence(status: int, words: str) -> Response:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(f"{words}\n", status)
