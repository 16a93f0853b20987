"""The door of a page that others can reach: a password, or a token made up at the start."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs

from segmint.app.guard.bodies import whole_body
from segmint.app.guard.login_page import login_page
from segmint.app.guard.throttle import Throttle

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

LOGIN = "/segmint/login"

_MOST_BODY = 16 * 2**10
_MOST_KEYS = 10_000


@dataclass(frozen=True, kw_only=True)
class Secret:
    """What lets a visitor in."""

    kind: Literal["token", "password"]
    value: str

    def __repr__(self) -> str:
        return f"<a {self.kind}>"

    def is_given_by(self, text: str) -> bool:
        """Whether a text is it; takes as long whatever the text."""
        ours, theirs = (each.encode("utf-8", "surrogatepass") for each in (self.value, text))
        return secrets.compare_digest(ours, theirs)


class Entry:
    """Lets those in who know the secret, and knows them again by a cookie.

    Args:
        secret: of this server.
        cookie: name of the cookie, another one for each server of a machine.
        throttle: slows those who guess.
    """

    def __init__(self, secret: Secret, *, cookie: str, throttle: Throttle | None = None) -> None:
        self._secret = secret
        self._cookie = cookie
        self._throttle = throttle or Throttle()
        self._keys: OrderedDict[str, None] = OrderedDict()

    def admits(self, cookies: Mapping[str, str]) -> bool:
        """Whether the bearer of the cookies came in before."""
        return cookies.get(self._cookie) in self._keys

    async def answer(self, request: Request) -> Response:
        """To one who is not in yet."""
        from starlette.responses import PlainTextResponse

        path = request.scope["path"]
        if path == LOGIN and request.method == "POST":
            return await self._judged(await _told(request))
        if path not in ("/", LOGIN):
            return PlainTextResponse(
                f"this page asks for a {self._secret.kind}: open its first page\n", 401
            )
        token = request.query_params.get("token")
        if token is None or self._secret.kind != "token":
            return self._page(401, "")
        return await self._judged(token)

    async def _judged(self, text: str | None) -> Response:
        if text is None:
            return self._page(400, "That cannot be read: enter it once more.")
        is_right = await self._throttle.attempt(lambda: self._secret.is_given_by(text))
        if is_right is None:
            return self._page(429, "Too many try at the moment: wait a few seconds.")
        if not is_right:
            return self._page(401, f"That is not the {self._secret.kind}: enter it once more.")
        return self._welcome()

    def _welcome(self) -> Response:
        from starlette.responses import RedirectResponse

        key = secrets.token_urlsafe(32)
        self._keys[key] = None
        if len(self._keys) > _MOST_KEYS:
            self._keys.popitem(last=False)
        response = RedirectResponse("/", 303)
        # Not "strict": browsers would hold it back when a link to the page is followed from a mail.
        response.set_cookie(self._cookie, key, httponly=True, samesite="lax")
        return response

    def _page(self, status: int, words: str) -> Response:
        from starlette.responses import HTMLResponse

        text, policy = login_page(self._secret.kind, action=LOGIN, words=words)
        return HTMLResponse(text, status, headers={"Content-Security-Policy": policy})


async def _told(request: Request) -> str | None:
    """The one field of the form; None where there is none."""
    body = await whole_body(request.receive, most=_MOST_BODY)
    if body is None:
        return None
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=4, keep_blank_values=True)
    except ValueError:
        return None
    return fields.get("secret", [None])[0]
