from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1]))

from standing_in import FakeCrew

from segmint.app.changes import Changes
from segmint.app.desks.desk import Answer, Desk, Picture
from segmint.app.desks.desks import Desks
from segmint.app.guard.guard import Guard
from segmint.app.guard.hosts import Hosts
from segmint.app.guard.visitor import VISITOR_COOKIE, new_visitor
from segmint.app.options import LimitOptions
from segmint.app.serving.routes import routes
from segmint.app.setting import Setting
from segmint.cli.inputs import RunOptions

ANNA, BERT = new_visitor(), new_visitor()


class Server:
    """The addresses behind the guard, with a desk of Anna's."""

    def __init__(self, root: Path, **limits: Any) -> None:
        options = LimitOptions(**limits)
        self.desks = Desks(root, options)
        self.crew: Any = FakeCrew()
        self.desk: Desk = self.desks.open(ANNA, "tab")
        setting = Setting(
            desks=self.desks, crew=self.crew, limits=options, runs=(), how=RunOptions()
        )
        self.app = Guard(Starlette(routes=routes(setting)), hosts=Hosts())
        self.anna, self.bert, self.nobody = map(self.client, (ANNA, BERT, None))

    def client(self, visitor: str | None) -> TestClient:
        cookies = {} if visitor is None else {VISITOR_COOKIE: visitor}
        return TestClient(self.app, base_url="http://127.0.0.1", cookies=cookies)

    @property
    def home(self) -> str:
        return f"/segmint/desks/{self.desk.id}"

    def answered(self, name: str = "photo.png") -> Picture:
        """A picture that has an answer."""
        told = self.anna.post(f"{self.home}/pictures?name={name}", content=b"pixels").json()
        picture = self.desk.pictures[told["picture"]]
        picture.versions = 1
        picture.answer = Answer(version=1, facts={"files": [{"name": "labels.png", "bytes": 6}]})
        picture.result.mkdir()
        (picture.result / "labels.png").write_bytes(b"labels")
        (picture.result / "private.png").write_bytes(b"not a file of the result")
        return picture

    def drawn(self) -> list[tuple[str, int]]:
        draws = [each.arguments for each in self.crew.errands if each.name == "draw"]
        return [(each["kind"], each["index"]) for each in draws]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    return Server(tmp_path)


class TestWhose:
    PATHS = (
        "/1/views/0/picture-0000.png",
        "/1/views/1/labels-0000.png",
        "/1/probabilities/1?x=0&y=0&slice=0",
        "/1/files/labels.png",
        "/1/scribbles.png",
        "/1/scribbles-base.png",
        "/results.zip",
    )

    @pytest.fixture
    def full(self, server: Server) -> Server:
        picture = server.answered()
        picture.scribbles.write_bytes(b"x")
        picture.base.write_bytes(b"x")
        picture.views(1).mkdir(parents=True)
        np.save(picture.views(1) / "probabilities.npy", np.full((2, 3, 4, 2), 0.5, np.float16))
        return server

    @pytest.mark.parametrize("path", PATHS)
    def test_only_the_visitors_own(self, full: Server, path: str) -> None:
        address = full.home + path
        assert full.anna.get(address).status_code == 200
        count = len(full.crew.errands)
        for other in (full.bert, full.nobody):
            answer = other.get(address)
            assert answer.status_code == 404
            assert answer.text.startswith("there is nothing here: what a visitor opens is deleted")
        assert len(full.crew.errands) == count

    @pytest.mark.parametrize("path", PATHS)
    def test_gone_with_the_desk(self, full: Server, path: str) -> None:
        full.desks.close(full.desk)
        assert full.anna.get(full.home + path).status_code == 404
        assert not full.desk.folder.exists()

    @pytest.mark.parametrize("path", ["/pictures?name=a.png", "/1/scribbles"])
    def test_nobody_else_sends(self, full: Server, path: str) -> None:
        assert full.bert.post(full.home + path, content=b"x").status_code == 404
        assert full.nobody.post(full.home + path, content=b"x").status_code == 403
        assert len(full.desk.pictures) == 1

    def test_another_has_the_same_numbers(self, full: Server) -> None:
        desk = full.desks.open(BERT, "tab")
        full.bert.post(f"/segmint/desks/{desk.id}/pictures?name=b.png", content=b"of bert")
        assert full.bert.get(f"/segmint/desks/{desk.id}/1/files/labels.png").status_code == 404


class TestViews:
    def test_drawn_when_first_looked_at(self, server: Server) -> None:
        server.answered()
        address = f"{server.home}/1/views/0/picture-0001.png"
        for _ in range(2):
            answer = server.anna.get(address)
            assert (answer.status_code, answer.content) == (200, b"picture 1")
            assert answer.headers["content-type"] == "image/png"
            assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
            assert "content-disposition" not in answer.headers
        assert server.drawn() == [("picture", 1)]

    def test_errand(self, server: Server) -> None:
        picture = server.answered()
        for kind in ("labels", "map-entropy", "map-uncertainty", "map-class-12"):
            assert server.anna.get(f"{server.home}/1/views/1/{kind}-0000.png").status_code == 200
            assert server.crew.errands[-1].arguments == {
                "kind": kind,
                "index": 0,
                "path": str(picture.file),
                "fit": str(picture.fit),
                "views": str(picture.views(1)),
                "large": False,
            }

    @pytest.mark.parametrize(
        "view",
        (
            *("0/picture-0002.png", "0/labels-0000.png", "1/picture-0000.png", "2/labels-0000.png"),
            *("01/labels-0000.png", "-1/labels-0000.png", "1/labels-0.png", "1/labels-0000.PNG"),
            *("1/map-class-01-0000.png", "1/map-x-0000.png", "1/probabilities.npy", "1/", "1"),
            *("1/..%2f..%2fupload%2fphoto.png", "1/labels-9999999.png", "x/labels-0000.png"),
            *("1/labels-0000.png/", "%2e%2e/upload/photo.png", "99999999999/labels-0000.png"),
        ),
    )
    def test_no_view(self, server: Server, view: str) -> None:
        server.answered()
        answer = server.anna.get(f"{server.home}/1/views/{view}")
        assert (answer.status_code, server.drawn()) == (404, [])

    def test_of_an_earlier_answer(self, server: Server) -> None:
        """What was drawn stays for a while; nothing is drawn any more."""
        picture = server.answered()
        server.anna.get(f"{server.home}/1/views/1/labels-0000.png")
        picture.versions = 2
        picture.answer = Answer(version=2, facts={"files": []})
        assert server.anna.get(f"{server.home}/1/views/1/labels-0000.png").status_code == 200
        assert server.anna.get(f"{server.home}/1/views/1/labels-0001.png").status_code == 404
        assert server.anna.get(f"{server.home}/1/views/2/labels-0001.png").status_code == 200

    def test_failure(self, server: Server) -> None:
        server.answered()
        server.crew.refusals["draw"] = "photo.png has no entropy"
        answer = server.anna.get(f"{server.home}/1/views/1/map-entropy-0000.png")
        assert (answer.status_code, answer.json()) == (400, {"error": "photo.png has no entropy"})


class TestProbabilities:
    @pytest.fixture
    def values(self, server: Server) -> np.ndarray[Any, Any]:
        values = np.random.default_rng(0).random((2, 3, 4, 5)).astype(np.float16)
        views = server.answered().views(1)
        views.mkdir(parents=True)
        np.save(views / "probabilities.npy", values)
        return values

    def test_of_a_pixel(self, server: Server, values: np.ndarray[Any, Any]) -> None:
        answer = server.anna.get(f"{server.home}/1/probabilities/1?x=3&y=2&slice=1")
        assert answer.json()["probabilities"] == pytest.approx(values[1, 2, 3], abs=1e-4)
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        "query",
        (
            *(
                "x=4&y=0&slice=0",
                "x=0&y=3&slice=0",
                "x=0&y=0&slice=2",
                "x=-1&y=0&slice=0",
                "x=0&y=0",
            ),
            *("x=1.0&y=0&slice=0", "x=a&y=0&slice=0", f"x={'9' * 4000}&y=0&slice=0", ""),
        ),
    )
    def test_outside(self, server: Server, values: np.ndarray[Any, Any], query: str) -> None:
        answer = server.anna.get(f"{server.home}/1/probabilities/1?{query}")
        assert answer.status_code == 404

    def test_none(self, server: Server) -> None:
        server.answered()
        address = f"{server.home}/1/probabilities/1?x=0&y=0&slice=0"
        assert server.anna.get(address).status_code == 404


class TestFiles:
    def test_to_save(self, server: Server) -> None:
        server.answered("größe.png")
        answer = server.anna.get(f"{server.home}/1/files/labels.png?v=1")
        assert (answer.status_code, answer.content) == (200, b"labels")
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"] == "no-store"
        disposition = answer.headers["content-disposition"]
        assert disposition == "attachment; filename*=utf-8''gr%C3%B6%C3%9Fe-labels.png"

    @pytest.mark.parametrize(
        "name",
        (
            *(
                "private.png",
                "..",
                ".",
                "%2e%2e",
                "..%2fupload%2fphoto.png",
                "%2fetc%2fpasswd",
                "a%00b",
            ),
            *("labels.png%00", ".labels.png", "l" * 300, "..%5cupload", "labels.png%20", ""),
        ),
    )
    def test_only_those_of_the_result(self, server: Server, name: str) -> None:
        server.answered()
        assert server.anna.get(f"{server.home}/1/files/{name}").status_code == 404

    def test_changed_results_are_written_first(self, server: Server) -> None:
        picture = server.answered()
        assert picture.answer is not None
        picture.answer.is_saved = False
        picture.changes = Changes(components=3, merged=((0, 2),), names={0: "cup"})
        answers = [server.anna.get(f"{server.home}/1/files/labels.png") for _ in range(2)]
        assert [answer.content for answer in answers] == [b"changed labels"] * 2
        saves = [each for each in server.crew.errands if each.name == "save"]
        assert len(saves) == 1
        assert saves[0].arguments["merged"] == [[0, 2]]
        assert picture.answer.is_saved

    def test_without_an_answer(self, server: Server) -> None:
        server.anna.post(f"{server.home}/pictures?name=a.png", content=b"x")
        assert server.anna.get(f"{server.home}/1/files/labels.png").status_code == 404
        assert server.anna.get(f"{server.home}/1/scribbles.png").status_code == 404
        assert server.anna.get(f"{server.home}/results.zip").status_code == 404

    def test_scribbles(self, server: Server) -> None:
        picture = server.answered()
        picture.scribbles.write_bytes(b"strokes")
        answer = server.anna.get(f"{server.home}/1/scribbles.png")
        assert answer.content == b"strokes"
        assert answer.headers["content-disposition"] == 'attachment; filename="photo-scribbles.png"'

    def test_archive(self, server: Server) -> None:
        for name in ("photo.png", "photo.tif", "PHOTO.jpg", "b.png"):
            server.answered(name)
        server.anna.post(f"{server.home}/pictures?name=unanswered.png", content=b"x")
        answer = server.anna.get(f"{server.home}/results.zip")
        assert answer.content == b"photo.png photo.tif PHOTO.jpg b"
        assert answer.headers["content-type"] == "application/zip"
        # Nothing of it stays.
        assert sorted(path.name for path in server.desk.folder.iterdir()) == list("12345")

    def test_archive_that_fails(self, server: Server) -> None:
        server.answered()
        server.crew.refusals["archive"] = "no room"
        answer = server.anna.get(f"{server.home}/results.zip")
        assert (answer.status_code, answer.json()) == (400, {"error": "no room"})
        assert [path.name for path in server.desk.folder.iterdir()] == ["1"]


class TestSending:
    def test_a_picture(self, server: Server) -> None:
        address = f"{server.home}/pictures?name=..%2F..%2Fa%20photo.png"
        told = server.anna.post(address, content=b"pixels").json()
        assert (told["picture"], told["name"], told["width"]) == (1, "a photo.png", 4)
        assert (server.desk.folder / "1" / "upload" / "a photo.png").read_bytes() == b"pixels"

    def test_refusals(self, server: Server) -> None:
        server.crew.refusals["open"] = "a.png is not an image but text"
        address = f"{server.home}/pictures?name=a.png"
        answer = server.anna.post(address, content=b"text")
        assert (answer.status_code, answer.json()) == (400, {"error": server.crew.refusals["open"]})
        answer = server.anna.post(address, content=b"")
        assert answer.status_code == 400
        assert "empty (0 bytes)" in answer.json()["error"]
        assert not server.desk.pictures

    @pytest.mark.parametrize("is_announced", [True, False])
    def test_too_large(self, tmp_path: Path, is_announced: bool) -> None:
        server = Server(tmp_path, max_upload="1MiB")
        headers = {"Content-Length": str(2**21)} if is_announced else {}
        parts = iter([b"x" * 2**16] * 32)
        answer = server.anna.post(f"{server.home}/pictures", content=parts, headers=headers)
        assert answer.status_code == 413
        assert "larger than 1 MiB" in answer.json()["error"]
        assert answer.headers["connection"] == "close"
        assert list(server.desk.folder.iterdir()) == []

    def test_too_many(self, tmp_path: Path) -> None:
        server = Server(tmp_path, max_images=1)
        answers = [server.anna.post(f"{server.home}/pictures", content=b"x") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]
        assert "1 image is open" in answers[1].json()["error"]

    def test_scribbles(self, server: Server) -> None:
        server.answered()
        answer = server.anna.post(f"{server.home}/1/scribbles", content=b"ids")
        assert answer.json() == {"base": True, "ids": [0, 1]}
        assert server.anna.get(f"{server.home}/1/scribbles-base.png").content == b"ids"
        assert server.anna.post(f"{server.home}/2/scribbles", content=b"ids").status_code == 404


class TestStatic:
    def test_scripts(self, server: Server) -> None:
        answer = server.nobody.get("/segmint/static/viewer.js")
        assert answer.status_code == 200
        assert "javascript" in answer.headers["content-type"]
        again = server.nobody.get(
            "/segmint/static/viewer.js", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert again.status_code == 304

    @pytest.mark.parametrize(
        "name", ["none.js", "..%2fguard.py", "%2e%2e%2fguard.py", "a%00", "", ".", "x" * 200]
    )
    def test_nothing_else(self, server: Server, name: str) -> None:
        assert server.nobody.get(f"/segmint/static/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/segmint/x", "/segmint/desks", "/segmint/desks/a/b/c/d/e/f"])
def test_other_addresses(server: Server, path: str) -> None:
    assert server.anna.get(path).status_code == 404
