from __future__ import annotations

import asyncio
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from standing_in import FACTS, FakeCrew

from segmint.app.desks.desk import Desk, Picture
from segmint.app.desks.desks import Desks
from segmint.app.desks.uploads import TooLargeError, load_scribbles, open_sample, open_upload
from segmint.app.guard import bodies
from segmint.app.options import LimitOptions
from segmint.errors import InputError, OutputError, UsageError

PART = b"x" * 2**16


class Sender:
    """Sends parts, and counts those that were asked for."""

    def __init__(self, *parts: bytes, times: int = 1) -> None:
        self._parts, self._times = parts, times
        self.asked = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._times):
            for part in self._parts:
                self.asked += 1
                yield part


class Table:
    """A desk with limits, and a crew that does nothing."""

    def __init__(self, root: Path, **limits: Any) -> None:
        self.desks = Desks(root, LimitOptions(**limits))
        self.desk: Desk = self.desks.open("anna", "tab")
        self.crew: Any = FakeCrew()

    async def upload(self, name: str, sender: Any, announced: int | None = None) -> Picture:
        return await open_upload(self.desks, self.crew, self.desk, name, sender, announced)

    def sent(self, name: str, sender: Any, announced: int | None = None) -> Picture:
        return asyncio.run(self.upload(name, sender, announced))

    @property
    def is_empty(self) -> bool:
        return not self.desk.pictures and not list(self.desk.folder.iterdir())


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Table]:
    def made(**limits: Any) -> Table:
        return Table(tmp_path, **limits)

    return made


def test_a_picture(table: Callable[..., Table]) -> None:
    here = table(max_pixels=77, max_whole=66)
    picture = here.sent("../a photo.png", Sender(b"first ", b"second"), 12)
    assert picture.file == here.desk.folder / "1" / "upload" / "a photo.png"
    assert picture.file.read_bytes() == b"first second"
    assert picture.facts == FACTS
    assert here.desk.pictures == {1: picture}
    (errand,) = here.crew.errands
    assert errand.quick
    assert errand.arguments == {
        "path": str(picture.file),
        "views": str(picture.folder / "views" / "0"),
        "max_pixels": 77,
        "max_whole": 66,
    }


def test_what_cannot_be_opened_is_removed(table: Callable[..., Table]) -> None:
    here = table()
    here.crew.refusals["open"] = "a.png is not an image but text"
    with pytest.raises(InputError, match=r"a\.png is not an image but text"):
        here.sent("a.png", Sender(b"text"))
    assert here.is_empty


@pytest.mark.parametrize("announced", [None, 0])
def test_nothing_was_sent(table: Callable[..., Table], announced: int | None) -> None:
    here = table()
    with pytest.raises(InputError, match=r"the file is empty \(0 bytes\)"):
        here.sent("a.png", Sender(), announced)
    assert here.is_empty
    assert here.crew.errands == []


def test_a_sender_who_falls_silent(
    table: Callable[..., Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent() -> AsyncIterator[bytes]:
        yield PART
        await asyncio.Event().wait()

    monkeypatch.setattr(bodies, "SECONDS_OF_BODY", 0.01)
    here = table()
    with pytest.raises(InputError, match="the file was cut off on its way: send it again"):
        here.sent("a.png", silent())
    assert here.is_empty


@pytest.mark.parametrize("announced", [3, 5])
def test_fewer_or_more_than_announced(table: Callable[..., Table], announced: int) -> None:
    here = table()
    with pytest.raises(InputError, match="cut off on its way"):
        here.sent("a.png", Sender(b"four"), announced)
    assert here.is_empty


class TestGigabyte:
    """1 GiB is sent where 8 MiB may be: neither disk nor memory holds more of it."""

    TIMES = 2**30 // len(PART)

    def test_announced(self, table: Callable[..., Table]) -> None:
        here = table(max_upload="8MiB")
        sender = Sender(PART, times=self.TIMES)
        with pytest.raises(TooLargeError, match="larger than 8 MiB, accepted are smaller ones"):
            here.sent("a.png", sender, 2**30)
        assert sender.asked == 0
        assert here.is_empty

    @pytest.mark.parametrize("announced", [None, 100])
    def test_not_announced(self, table: Callable[..., Table], announced: int | None) -> None:
        here = table(max_upload="8MiB")
        sender = Sender(PART, times=self.TIMES)
        tracemalloc.start()
        try:
            with pytest.raises(TooLargeError, match="larger than 8 MiB"):
                here.sent("a.png", sender, announced)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert sender.asked == 8 * 2**20 // len(PART) + 1
        assert most < 2**20
        assert here.is_empty

    def test_as_large_as_may_be(self, table: Callable[..., Table]) -> None:
        picture = table(max_upload="8MiB").sent("a.png", Sender(PART, times=128), 8 * 2**20)
        assert picture.file.stat().st_size == 8 * 2**20


def test_desk_that_is_nearly_full(table: Callable[..., Table]) -> None:
    here = table(max_desk="100")
    here.sent("a.png", Sender(b"x" * 60))
    with pytest.raises(TooLargeError, match="larger than the 40 bytes that are left"):
        here.sent("b.png", Sender(b"x" * 41))
    here.sent("b.png", Sender(b"x" * 40))
    with pytest.raises(InputError, match="hold 100 bytes, which is as much as may be"):
        here.sent("c.png", Sender(b"x"))
    assert [picture.name for picture in here.desk.pictures.values()] == ["a.png", "b.png"]


def test_two_at_once_share_the_room(table: Callable[..., Table]) -> None:
    here = table(max_desk="100")

    async def both() -> list[Any]:
        senders = (Sender(b"x" * 30, b"x" * 30) for _ in range(2))
        sent = (here.upload("a.png", sender) for sender in senders)
        return await asyncio.gather(*sent, return_exceptions=True)

    kinds = [type(each) for each in asyncio.run(both())]
    assert kinds == [Picture, TooLargeError]
    assert here.desks.bytes_of(here.desk) == 60


def test_too_many(table: Callable[..., Table]) -> None:
    here = table(max_images=1)
    here.sent("a.png", Sender(b"x"))
    sender = Sender(b"x")
    with pytest.raises(InputError, match="1 image is open, which is as many as may be"):
        here.sent("b.png", sender)
    assert sender.asked == 0


def test_sender_who_leaves(table: Callable[..., Table]) -> None:
    class LeavesError(Exception):
        pass

    async def sender() -> AsyncIterator[bytes]:
        yield b"first"
        raise LeavesError

    here = table()
    with pytest.raises(LeavesError):
        here.sent("a.png", sender())
    assert here.is_empty


def test_full_disk(table: Callable[..., Table], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    here = table()
    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(OutputError, match="cannot keep the file: No space left on device"):
        here.sent("a.png", Sender(b"x"))
    assert here.is_empty


class TestSamples:
    def test_one(self, table: Callable[..., Table]) -> None:
        here = table()
        picture = asyncio.run(open_sample(here.desks, here.crew, here.desk, "heart.tif"))
        assert picture.name == "heart.tif"
        assert picture.file.read_bytes()[:4] in (b"II*\0", b"MM\0*")
        assert picture.facts == FACTS

    @pytest.mark.parametrize("name", ["hart.tif", "../../etc/passwd", "", "/etc/passwd", "\0"])
    def test_unknown(self, table: Callable[..., Table], name: str) -> None:
        here = table()
        with pytest.raises(UsageError, match="unknown sample"):
            asyncio.run(open_sample(here.desks, here.crew, here.desk, name))
        assert here.is_empty


class TestScribbles:
    @pytest.fixture
    def here(self, table: Callable[..., Table]) -> Table:
        here = table(max_desk="100MiB")
        here.sent("a.png", Sender(b"x"))
        return here

    def load(self, here: Table, sender: Any, announced: int | None = None) -> dict[str, Any]:
        picture = here.desk.pictures[1]
        return asyncio.run(
            load_scribbles(here.desks, here.crew, here.desk, picture, sender, announced)
        )

    def test_they_take_the_place_of_strokes(self, here: Table) -> None:
        picture = here.desk.pictures[1]
        picture.strokes = [{"id": 0}]
        assert self.load(here, Sender(b"ids")) == {"base": True, "ids": [0, 1]}
        assert picture.base.read_bytes() == picture.scribbles.read_bytes() == b"ids"
        assert picture.strokes == []
        arguments = here.crew.errands[-1].arguments
        assert {arguments[name] for name in ("width", "height")} == {4, 3}
        assert not (picture.folder / "scribbles-sent").exists()

    def test_refused_ones_change_nothing(self, here: Table) -> None:
        picture = here.desk.pictures[1]
        picture.strokes = [{"id": 0}]
        here.crew.refusals["scribbles"] = "scribbles are 4x4 and the image 4x3"
        with pytest.raises(InputError, match="4x4"):
            self.load(here, Sender(b"ids"))
        assert picture.strokes == [{"id": 0}]
        assert sorted(path.name for path in picture.folder.iterdir()) == ["upload"]

    def test_too_large(self, here: Table) -> None:
        sender = Sender(PART, times=2**14)
        with pytest.raises(TooLargeError, match="larger than 16 MiB"):
            self.load(here, sender)
        assert sender.asked == 257
        names = sorted(path.name for path in here.desk.pictures[1].folder.iterdir())
        assert names == ["upload"]
