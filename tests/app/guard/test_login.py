from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from segmint.app.guard.guard import Guard
from segmint.app.guard.hosts import Hosts
from segmint.app.guard.login import LOGIN, Entry, Secret
from segmint.app.guard.password import secret_for
from segmint.app.guard.throttle import Throttle
from segmint.app.guard.visitor import VISITOR_COOKIE, new_visitor
from segmint.errors import InputError

PASSWORD = Secret(kind="password", value="pässwort & more")
TOKEN = Secret(kind="token", value="abc")


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("the page")(scope, receive, send)


class Doors:
    """A guard with a secret, whose pauses take no time but are noted."""

    def __init__(self, secret: Secret) -> None:
        self.pauses: list[float] = []
        entry = Entry(secret, cookie="segmint-entry", throttle=Throttle(pause=self.pause))
        self.guard = Guard(behind, hosts=Hosts(), entry=entry)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def client(self) -> TestClient:
        cookies = {VISITOR_COOKIE: new_visitor()}
        return TestClient(
            self.guard, base_url="http://127.0.0.1", cookies=cookies, follow_redirects=False
        )


@pytest.fixture
def locked() -> Doors:
    return Doors(PASSWORD)


@pytest.fixture
def with_token() -> Doors:
    return Doors(TOKEN)


class TestPassword:
    def test_nothing_without_it(self, locked: Doors) -> None:
        client = locked.client()
        for path in ("/config", "/theme.css", "/segmint/static/viewer.js", "/assets/index.js"):
            answer = client.get(path)
            assert answer.status_code == 401
            assert answer.text == "this page asks for a password: open its first page\n"
        assert client.post("/gradio_api/queue/join", json={}).status_code == 401
        assert client.post("/segmint/desks/a/pictures", content=b"x").status_code == 401
        assert locked.pauses == []

    def test_the_form(self, locked: Doors) -> None:
        answer = locked.client().get("/")
        assert answer.status_code == 401
        assert '<label for="secret">Password</label>' in answer.text
        assert f'action="{LOGIN}"' in answer.text
        assert "<script" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"

    def test_right(self, locked: Doors) -> None:
        client = locked.client()
        answer = client.post(LOGIN, data={"secret": PASSWORD.value})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert PASSWORD.value not in cookie
        assert client.get("/").text == "the page"
        assert client.get(LOGIN).headers["location"] == "/"
        assert locked.client().get("/").status_code == 401
        assert locked.pauses == []

    @pytest.mark.parametrize(
        "given", ["", "x", "pässwort", "PÄSSWORT & MORE", "\ud800", "x" * 9000]
    )
    def test_wrong(self, locked: Doors, given: str) -> None:
        client = locked.client()
        secret = quote_from_bytes(given.encode("utf-8", "surrogatepass"))
        answer = client.post(LOGIN, content=f"secret={secret}".encode())
        assert answer.status_code == 401
        assert "That is not the password" in answer.text
        assert "set-cookie" not in answer.headers
        assert client.get("/").status_code == 401
        assert locked.pauses == [0.125]

    @pytest.mark.parametrize(
        "body", [b"", b"\xff", b"password=x", b"&" * 100, b"x" * 2**20, b"secret"]
    )
    def test_no_form(self, locked: Doors, body: bytes) -> None:
        assert locked.client().post(LOGIN, content=body).status_code in (400, 401)

    def test_form_of_another_site(self, locked: Doors) -> None:
        headers = {"Origin": "http://evil.example"}
        answer = locked.client().post(LOGIN, data={"secret": PASSWORD.value}, headers=headers)
        assert answer.status_code == 403

    def test_a_made_up_cookie_is_none(self, locked: Doors) -> None:
        client = locked.client()
        for value in ("", "None", PASSWORD.value.encode("ascii", "ignore").decode()):
            client.cookies.set("segmint-entry", value)
            assert client.get("/").status_code == 401

    def test_its_secret_is_not_shown(self) -> None:
        assert PASSWORD.value not in repr(PASSWORD)


class TestToken:
    def test_in_the_address(self, with_token: Doors) -> None:
        client = with_token.client()
        answer = client.get("/?token=abc")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert client.get("/").text == "the page"
        assert client.get("/?token=abc").headers["location"] == "/"

    @pytest.mark.parametrize("query", ["", "?token=", "?token=abd", "?token=abc%00", "?tokens=abc"])
    def test_wrong(self, with_token: Doors, query: str) -> None:
        client = with_token.client()
        assert client.get(f"/{query}").status_code == 401
        assert client.get("/").status_code == 401

    def test_only_on_the_first_page(self, with_token: Doors) -> None:
        assert with_token.client().get("/config?token=abc").status_code == 401

    def test_in_the_form(self, with_token: Doors) -> None:
        client = with_token.client()
        assert '<label for="secret">Token</label>' in client.get("/").text
        assert client.post(LOGIN, data={"secret": "abc"}).status_code == 303

    def test_a_password_is_not_taken_from_an_address(self, locked: Doors) -> None:
        client = locked.client()
        answer = client.get("/", params={"token": PASSWORD.value})
        assert answer.status_code == 401


class TestThrottle:
    def test_failures_are_answered_later_and_later(self, locked: Doors) -> None:
        client = locked.client()
        for _ in range(7):
            client.post(LOGIN, data={"secret": "x"})
        assert locked.pauses == [0.125, 0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
        client.post(LOGIN, data={"secret": PASSWORD.value})
        assert len(locked.pauses) == 7

    def test_one_at_a_time_and_few_wait(self) -> None:
        running = most = looked = 0

        async def pause(seconds: float) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

        def is_right() -> bool:
            nonlocal looked
            looked += 1
            return False

        async def flood() -> list[bool | None]:
            throttle = Throttle(pause=pause, waiting=5)
            first = await asyncio.gather(*(throttle.attempt(is_right) for _ in range(50)))
            return [*first, await throttle.attempt(lambda: True)]

        answers = asyncio.run(flood())
        assert answers.count(False) == looked == 5
        assert answers.count(None) == 45
        assert most == 1
        assert answers[-1] is True


class TestSecret:
    def test_loopback_needs_none(self) -> None:
        assert secret_for(None, is_loopback=True) is None

    def test_a_token_is_made_up_elsewhere(self) -> None:
        first, second = (secret_for(None, is_loopback=False) for _ in range(2))
        assert first is not None
        assert second is not None
        assert first.kind == "token"
        assert len(first.value) == 32
        assert first.value != second.value

    def test_first_line_of_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "p").write_text(" kööl \r\nnot this\n", encoding="utf-8")
        for is_loopback in (True, False):
            secret = secret_for(str(tmp_path / "p"), is_loopback=is_loopback)
            assert secret == Secret(kind="password", value="kööl")

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, "No such file or directory"),
            (b"", "it is empty"),
            (b"\nx", "its first line is empty"),
            (b"\xff\xfe", "it is no text"),
            (b"x" * 5000, "it has more than 4096 bytes"),
        ],
    )
    def test_unusable(self, tmp_path: Path, content: bytes | None, words: str) -> None:
        if content is not None:
            (tmp_path / "p").write_bytes(content)
        with pytest.raises(InputError, match=words):
            secret_for(str(tmp_path / "p"), is_loopback=True)

    @pytest.mark.parametrize("name", [".", "\0", "x" * 5000])
    def test_no_file(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InputError, match="accepted is a text file"):
            secret_for(str(tmp_path / name), is_loopback=True)
