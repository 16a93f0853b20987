from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from segmint.app.guard.guard import MOST_BODY, Guard
from segmint.app.guard.hosts import Hosts
from segmint.app.guard.visitor import VISITOR_COOKIE, new_visitor

ANNA, BERT = new_visitor(), new_visitor()
JOIN = "/gradio_api/queue/join"
DATA = "/gradio_api/queue/data"


class Behind:
    """What the guard lets through: it tells what arrived."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        self.paths.append(scope["path"])
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=60"}
        await PlainTextResponse(f"{size}", headers=headers)(scope, receive, send)


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def client(behind: Behind) -> TestClient:
    return of(behind, ANNA)


def of(behind: Any, visitor: str | None, guard: Guard | None = None) -> TestClient:
    cookies = {} if visitor is None else {VISITOR_COOKIE: visitor}
    guard = guard or Guard(behind, hosts=Hosts())
    return TestClient(guard, base_url="http://127.0.0.1:7860", cookies=cookies)


class TestHost:
    @pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "LOCALHOST:1", "[::1]:7860"])
    def test_own(self, client: TestClient, host: str) -> None:
        assert client.get("/config", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        (
            *(
                "evil.example",
                "evil.example:7860",
                "127.0.0.1.evil.example",
                "localhost@evil.example",
            ),
            *("", "localhost:x", "[::1", "192.168.0.7", "x" * 5000, "localhost:7860, evil.example"),
        ),
    )
    def test_foreign(self, client: TestClient, behind: Behind, host: str) -> None:
        answer = client.get("/config", headers={"Host": host})
        assert answer.status_code == 403
        assert "open the address that was printed at the start" in answer.text
        assert len(answer.text) < 400
        assert behind.paths == []

    def test_all_numbers_where_it_listens_on_all(self) -> None:
        hosts = Hosts(any_number=True)
        assert hosts.accepts("192.168.0.7:7860")
        assert hosts.accepts("[2001:db8::1]")
        assert not hosts.accepts("evil.example")

    def test_none_and_two(self, behind: Behind) -> None:
        for hosts in ([], [(b"host", b"localhost"), (b"host", b"evil.example")]):
            assert status_of(Guard(behind, hosts=Hosts()), headers=hosts) == 403
        assert behind.paths == []


def status_of(guard: Guard, **scope: Any) -> int:
    """Of a request that no client would send."""
    told: list[Message] = []

    async def send(message: Message) -> None:
        told.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    whole = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "scheme": "http",
        "server": ("127.0.0.1", 7860),
        "client": ("127.0.0.1", 1),
        "root_path": "",
        "http_version": "1.1",
    }
    asyncio.run(guard({**whole, **scope}, receive, send))
    return int(told[0]["status"])


class TestOrigin:
    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "null", "http://127.0.0.1:7861", "file://", "", "x" * 999]
    )
    def test_foreign(self, client: TestClient, behind: Behind, origin: str) -> None:
        answer = client.post(JOIN, json={}, headers={"Origin": origin})
        assert (answer.status_code, behind.paths) == (403, [])
        assert answer.text == "another site asked for this: open the page itself\n"

    @pytest.mark.parametrize("origin", [None, "http://127.0.0.1:7860"])
    def test_own(self, client: TestClient, origin: str | None) -> None:
        headers = {} if origin is None else {"Origin": origin}
        assert client.post(JOIN, json={}, headers=headers).status_code == 200

    def test_usual_port(self, behind: Behind) -> None:
        client = of(behind, ANNA)
        headers = {"Host": "localhost", "Origin": "http://localhost:80"}
        assert client.post(JOIN, json={}, headers=headers).status_code == 200

    @pytest.mark.parametrize(
        ("method", "site", "mode", "status"),
        [
            ("GET", "cross-site", "no-cors", 403),  # <img src>, <script src>
            ("GET", "same-site", "cors", 403),  # another port of this machine
            ("GET", "cross-site", "navigate", 200),  # a link
            ("GET", "same-origin", "cors", 200),
            ("POST", "cross-site", "navigate", 403),  # a form
            ("POST", "same-origin", "cors", 200),
        ],
    )
    def test_what_the_browser_says(
        self, client: TestClient, method: str, site: str, mode: str, status: int
    ) -> None:
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        path = JOIN if method == "POST" else "/"
        assert client.request(method, path, headers=headers, content=b"{}").status_code == status


class TestAddresses:
    @pytest.mark.parametrize(
        "path",
        (
            *(
                "/",
                "/config",
                "/theme.css",
                "/static/js/a.min.js",
                "/assets/index-4_x.js",
                "/favicon.ico",
            ),
            *("/segmint/static/viewer.js", "/gradio_api/startup-events"),
        ),
    )
    def test_needed(self, client: TestClient, path: str) -> None:
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200

    @pytest.mark.parametrize(
        "path",
        (
            *(
                "upload",
                "upload_progress?upload_id=a",
                "file=/etc/passwd",
                "file/etc/passwd",
                "info",
            ),
            *("proxy=https://a.hf.space/", "stream/a", "stream/a/b/1/playlist.m3u8", "deep_link"),
            *("run/predict", "api/predict", "call/predict", "call/v2/predict", "call/predict/a"),
            *("component_server", "process_recording", "vibe-edit", "undo-vibe-edit", "vibe-code"),
            *(
                "vibe-starter-queries",
                "dev/reload",
                "custom_component/a/client/b/c",
                "user",
                "token",
            ),
            *("login_check", "runs", "run-history/connect", "run-history/buckets", "openapi.json"),
            *("mcp/sse", "profiling/traces", "queue/status", "heartbeat/a/b", ""),
        ),
    )
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    def test_of_gradio(self, client: TestClient, behind: Behind, method: str, path: str) -> None:
        answer = client.request(method, f"/gradio_api/{path}")
        assert (answer.status_code, behind.paths) == (404, [])

    @pytest.mark.parametrize(
        "path",
        (
            *(
                "/login",
                "/logout",
                "/monitoring",
                "/monitoring/summary",
                "/robots.txt",
                "/pwa_icon",
            ),
            *("/docs", "/openapi.json", "/redoc", "/api", "/segmint/", "/segmint", "/%00"),
            *(
                "/static/..%2f..%2fconfig",
                "/static/%2e%2e/%2e%2e/etc/passwd",
                "/static//etc/passwd",
            ),
            *("/assets/.hidden", "/static/a%00.js", "/static/a%5c..%5cb", "/config/%2e%2e/config"),
            *(
                "/segmint/static/..%2fguard.py",
                "/segmint/desks/..%2f..%2fetc",
                "/static/" + "a" * 600,
            ),
            *("/segmint/login",),
        ),
    )
    def test_tricks(self, client: TestClient, behind: Behind, path: str) -> None:
        answer = client.get(path)
        assert (answer.status_code, behind.paths) == (404, [])
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text.count("\n") == 1

    @pytest.mark.parametrize(
        "path", ["//", "/../config", "/config/../config", "/static/../../etc/passwd", "", "config"]
    )
    def test_as_no_client_sends_them(self, behind: Behind, path: str) -> None:
        assert status_of(Guard(behind, hosts=Hosts()), path=path) == 404
        assert behind.paths == []

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"])
    def test_other_methods(self, client: TestClient, behind: Behind, method: str) -> None:
        assert (client.request(method, "/").status_code, behind.paths) == (405, [])

    def test_what_is_read_is_not_posted_to(self, client: TestClient) -> None:
        assert [client.post(path).status_code for path in ("/", "/config", DATA)] == [404] * 3

    def test_web_sockets(self, behind: Behind) -> None:
        told: list[Message] = []

        async def send(message: Message) -> None:
            told.append(message)

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        asyncio.run(Guard(behind, hosts=Hosts())({"type": "websocket"}, receive, send))
        assert [each["type"] for each in told] == ["websocket.close"]
        assert behind.paths == []


class TestVisitor:
    def test_the_page_gives_the_cookie_once(self, behind: Behind) -> None:
        client = of(behind, None)
        given = client.get("/").headers["set-cookie"]
        assert given.startswith(f"{VISITOR_COOKIE}=")
        assert "httponly" in given.lower()
        assert "samesite=lax" in given.lower()
        assert client.get("/").headers.get("set-cookie") is None
        assert of(behind, None).get("/").headers["set-cookie"] != given

    @pytest.mark.parametrize("value", ["", "x", "../../etc/passwd", "a" * 23, "a" * 5000])
    def test_what_is_no_visitor_gets_another(self, behind: Behind, value: str) -> None:
        answer = of(behind, value).get("/")
        assert f"{VISITOR_COOKIE}=" in answer.headers["set-cookie"]
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize("path", [f"{DATA}?session_hash=a", "/gradio_api/heartbeat/a"])
    def test_nobody_hears_nothing(self, behind: Behind, path: str) -> None:
        answer = of(behind, None).get(path)
        assert (answer.status_code, behind.paths) == (403, [])
        assert "allow cookies" in answer.text

    @pytest.mark.parametrize("path", [JOIN, "/segmint/desks/a/pictures"])
    def test_nobody_sends_nothing(self, behind: Behind, path: str) -> None:
        assert of(behind, None).post(path, content=b"{}").status_code == 403
        assert behind.paths == []

    def test_tab_of_another(self, behind: Behind) -> None:
        guard = Guard(behind, hosts=Hosts())
        anna, bert = of(behind, ANNA, guard), of(behind, BERT, guard)
        assert anna.post(JOIN, json={"session_hash": "tab"}).status_code == 200
        assert anna.get(f"{DATA}?session_hash=tab").status_code == 200
        count = len(behind.paths)
        assert bert.get(f"{DATA}?session_hash=tab").status_code == 404
        assert bert.get(f"{DATA}?session_hash=own&session_hash=tab").status_code == 404
        assert bert.get("/gradio_api/heartbeat/tab").status_code == 404
        for path in (JOIN, "/gradio_api/cancel"):
            assert bert.post(path, json={"session_hash": "tab"}).status_code == 404
        assert len(behind.paths) == count
        assert bert.post(JOIN, json={"session_hash": "own"}).status_code == 200

    @pytest.mark.parametrize(
        "words",
        (
            {"data": [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]},
            {"data": [[{"path": "http://192.0.2.1/", "meta": {"_type": "gradio.FileData"}}]]},
            {"event_data": {"strokes": [{"id": 0, "more": {"path": "a"}}]}},
        ),
    )
    def test_names_no_file(self, client: TestClient, behind: Behind, words: Any) -> None:
        answer = client.post(JOIN, json={"session_hash": "tab", **words})
        assert answer.status_code == 400
        assert answer.text == "files are not named here: drop them onto the page\n"
        assert behind.paths == []

    @pytest.mark.parametrize(
        "body", ["", "x", "[]", "3", '{"session_hash": 3}', '{"session_hash": ""}', "[" * 100_000]
    )
    def test_no_json(self, client: TestClient, behind: Behind, body: str) -> None:
        assert (client.post(JOIN, content=body).status_code, behind.paths) == (404, [])


class TestHeaders:
    @pytest.mark.parametrize("path", ["/", "/config", "/nothing"])
    def test_of_every_answer(self, client: TestClient, path: str) -> None:
        headers = client.get(path, headers={"Origin": "http://evil.example"}).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert not [name for name in headers if name.startswith("access-control-")]

    def test_others_stay(self, client: TestClient) -> None:
        assert client.get("/config").headers["cache-control"] == "max-age=60"


class TestBodies:
    def test_as_large_as_may_be(self, client: TestClient) -> None:
        body = json.dumps({"session_hash": "a", "data": ""})
        body = body.replace('""', f'"{"x" * (MOST_BODY - len(body))}"')
        assert client.post(JOIN, content=body).text == str(MOST_BODY)

    @pytest.mark.parametrize("lies", [False, True])
    def test_larger(self, client: TestClient, behind: Behind, lies: bool) -> None:
        parts = [b"x" * 2**16] * (MOST_BODY // 2**16 + 1)
        headers = {} if lies else {"Content-Length": str(sum(map(len, parts)))}
        answer = client.post(JOIN, content=iter(parts), headers=headers)
        assert (answer.status_code, behind.paths) == (413, [])
        assert answer.text == "the request is larger than 4 MiB: send less\n"

    def test_files_are_not_read_here(self, client: TestClient) -> None:
        parts = [b"x" * 2**16] * (MOST_BODY // 2**16 + 1)
        answer = client.post("/segmint/desks/a/pictures", content=iter(parts))
        assert answer.text == str(len(parts) * 2**16)
