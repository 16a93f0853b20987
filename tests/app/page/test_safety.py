"""What visitors who mean harm, who make mistakes, or who just leave can do to the server: nothing.

Each test is against the server as it is started from the command line, with HTTP alone.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import signal
import socket
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from page_tab import Server, started
from PIL import Image as Pillow
from visiting import DATA, JOIN, PATIENCE, Visitor, sentences, values_of

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks at processes as Linux shows them"
)

MEBIBYTE = 2**20
LONG: dict[str, Any] = {"method": "clustering", "option_clustering_iterations": 100_000}
"""A job that would take many minutes."""
VISITORS = 50
KEPT = 700 * MEBIBYTE
"""That all processes together may hold more than before, when all visitors have left."""
KEPT_BY_SERVER = 100 * MEBIBYTE
"""Of it the process that answers browsers."""


@contextmanager
def started_in(folder: Path, *arguments: str) -> Iterator[Server]:
    """A server whose files of visitors lie in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        with started(*arguments) as server:
            yield server


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps the files of its visitors."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def server(runs: Path, temporary: Path) -> Iterator[Server]:
    """One with the limits it has by itself, and one run of two."""
    with started_in(temporary, str(runs / "cells")) as server:
        yield server


@pytest.fixture(autouse=True)
def stays_up(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did, the next visitor is answered."""
    yield
    if "server" in request.fixturenames:
        server = request.getfixturevalue("server")
        assert asyncio.run(_answered(server.address)).startswith("photo.png: ")


async def _answered(address: str) -> str:
    async with Visitor.at(address) as visitor:
        await visitor.show(photo())
        return await visitor.segment()


def photo(height: int = 24, width: int = 32, seed: int = 0) -> bytes:
    """A PNG with two halves."""
    pixels = np.random.default_rng(seed).integers(0, 60, (height, width, 3), dtype=np.uint8)
    pixels[:, width // 2 :] += 150
    return encoded(pixels)


def encoded(pixels: Any, form: str = "PNG") -> bytes:
    """Pixels as a file."""
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, form)
    return file.getvalue()


def array_file(array: Any, **options: Any) -> bytes:
    """An array as NumPy writes it."""
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def files_in(folder: Path) -> list[str]:
    """Files of visitors, wherever below a folder."""
    desks = folder.glob("segmint-app-*/desks")
    # Folders may go while they are looked through, which this does not mind.
    return sorted(name for desk in desks for _, _, names in os.walk(desk) for name in names)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    last = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < last, "it never came to be so"
        await asyncio.sleep(0.1)


def children(process: int) -> list[int]:
    """All processes that a process started, and those started."""
    own = [
        int(child)
        for file in Path(f"/proc/{process}/task").glob("*/children")
        for child in file.read_text().split()
    ]
    return [*own, *(each for child in own for each in children(child))]


def is_there(process: int) -> bool:
    """Whether a process runs."""
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def held(process: int) -> int:
    """Bytes of a process, of shared pages its part."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


# Who reaches it.


def test_only_this_machine_reaches_it(server: Server) -> None:
    port = int(server.address.rsplit(":", 1)[1])
    socket.create_connection(("127.0.0.1", port), 10).close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), 10)


def test_others_need_the_token_and_jobs_end_in_time(tmp_path: Path) -> None:
    with started_in(tmp_path, "--host", "0.0.0.0", "--time-limit", "1") as server:
        address, token = server.address.split("/?token=")
        port = int(address.rsplit(":", 1)[1])
        elsewhere = f"http://127.0.0.2:{port}"
        assert len(token) >= 22
        for path in ("/", "/config", "/theme.css", "/segmint/static/viewer.js", "/?token=no"):
            answer = httpx.get(elsewhere + path, timeout=PATIENCE)
            assert answer.status_code == 401
            assert "dependencies" not in answer.text
            assert token not in answer.text
        for path in (JOIN, "/segmint/desks/aaaaaaaaaaaaaaaaaaaaaa/pictures"):
            answer = httpx.post(elsewhere + path, json={"fn_index": 0}, timeout=PATIENCE)
            assert answer.status_code in (401, 403)
        said = asyncio.run(_too_long(f"{elsewhere}/?token={token}"))
    assert "it was not done within 1 s, the limit here" in said
    assert files_in(tmp_path) == []


async def _too_long(address: str) -> str:
    async with Visitor.at(address) as visitor:
        await visitor.show(photo(200, 200))
        return await visitor.segment(**LONG)


# What may be said.

PATHS = ("/etc/passwd", "../../../../etc/passwd", "file:///etc/passwd", "C:\\Windows\\win.ini")
FILES = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in PATHS[:2]]
WRONG: tuple[Any, ...] = (
    *(None, -(10**400), 1e308, [[[[]]]], "../../../../etc/passwd"),
    {"__type__": "update", "value": "/etc/passwd"},
)


def test_no_wrong_value_is_believed(server: Server, temporary: Path) -> None:
    told = asyncio.run(_everything_wrong(server.address))
    assert "root:" not in told
    assert str(temporary) not in told


async def _everything_wrong(address: str) -> str:
    """What is told of each event of the page, with each of the wrong values at each place."""
    told = []
    async with Visitor.at(address) as visitor:
        await visitor.show(photo())
        for wrong in WRONG:
            left = set()
            for each in visitor.config["dependencies"]:
                if "unload" not in (name for _, name in each["targets"]):
                    data = (
                        wrong
                        if isinstance(wrong, dict | list)
                        else dict.fromkeys(EVENT_DATA, wrong)
                    )
                    sent = visitor.words(each["id"], [wrong] * len(each["inputs"]), data)
                    joined = (await visitor.client.post(JOIN, json=sent)).raise_for_status()
                    left.add(joined.json()["event_id"])
            async for message in visitor.told():
                told.append(str(message))
                if message["msg"] == "process_completed":
                    left.discard(message["event_id"])
                if not left:
                    break
        for path in PATHS:
            told.append(str(await visitor.press("samples", "select", {"sample": path})))
    return "\n".join(told)


EVENT_DATA = ("picture", "pictures", "sample", "strokes", "names", "merge", "base")


def test_no_file_comes_from_the_browser(server: Server, temporary: Path) -> None:
    asyncio.run(_name_files(server.address))
    (page,) = temporary.glob("segmint-app-*/page")
    assert [path for path in page.rglob("*") if path.is_file()] == []


async def _name_files(address: str) -> None:
    async with Visitor.at(address) as visitor:
        number = await visitor.show(photo())
        for each, file in itertools.product(visitor.config["dependencies"], FILES):
            for sent in (
                visitor.words(each["id"], [[file]] * len(each["inputs"]), None),
                visitor.words(each["id"], [], {"value": file}),
            ):
                if sent["data"] or sent["event_data"]:
                    answer = await visitor.client.post(JOIN, json=sent)
                    assert answer.status_code == 400
                    assert answer.text.startswith("files are not named here")
        stroke = {"id": 0, "width": 2, "points": [[1, 1]], "more": FILES[0]}
        painted = visitor.said("viewer", "input", {"picture": number, "strokes": [stroke]})
        assert (await visitor.client.post(JOIN, json=painted)).status_code == 400
        for path in (
            *("/gradio_api/file=/etc/passwd", "/gradio_api/file/etc/passwd", "/file=/etc/passwd"),
            *("/gradio_api/upload", "/gradio_api/proxy=http://127.0.0.1/", "/gradio_api/info"),
            *("/segmint/static/..%2fserver.py", "/segmint/static/%2e%2e/server.py"),
            *("/static/..%2f..%2froutes.py", "/assets/%2e%2e%2f%2e%2e%2froutes.py", "/%00"),
            f"/segmint/desks/{visitor.desk}/1/files/..%2f..%2f..%2fetc%2fpasswd",
            f"/segmint/desks/{visitor.desk}/1/files/%2fetc%2fpasswd",
            f"/segmint/desks/{visitor.desk}/1/views/0/..%2fupload%2fphoto.png",
        ):
            assert (await visitor.client.get(path)).status_code == 404, path


def test_no_event_but_those_of_the_page(server: Server) -> None:
    async def ask() -> None:
        async with Visitor.at(server.address) as visitor:
            for number in (10**9, -1, "x", 1.5, None, [0], 10**400):
                words = visitor.words(number, [], None)
                async with httpx.AsyncClient(
                    base_url=server.address, cookies=visitor.client.cookies, timeout=PATIENCE
                ) as other:
                    answer = await other.post(JOIN, json=words)
                assert answer.status_code in (400, 404, 422, 500)
                assert "File " not in answer.text

    asyncio.run(ask())


def test_only_runs_that_were_given(server: Server, runs: Path) -> None:
    async def ask() -> list[str]:
        said = []
        async with Visitor.at(server.address) as visitor:
            await visitor.show(encoded(np.arange(32 * 32, dtype=np.uint8).reshape(32, 32)))
            await visitor.press("trained", "select")
            for run in ("peers", str(runs / "peers"), "../peers", "/etc/passwd", None, 3):
                told = await visitor.press("segment", "click", run=run)
                said.append(str(told[-1]))
            said.append(await visitor.segment())
        return said

    *others, own = asyncio.run(ask())
    for said in others:
        assert "'version': 1" not in said
    assert own.startswith("photo.png: ")


# What may be sent.


class Opened:
    """What a pickle would do if it were loaded."""

    def __init__(self, file: Path) -> None:
        self._file = str(file)

    def __reduce__(self) -> Any:
        return os.mkdir, (self._file,)


def png_of(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and has nothing."""

    def part(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = part(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + head + data + part(b"IEND", b"")


def tiff_of(width: int, height: int) -> bytes:
    """A TIFF that says how large it is, and has nothing."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1)]
    tags += [(278, height), (279, width * height % 2**32)]
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4)


def zip_bomb() -> bytes:
    """128 MiB of zeros as a compressed array, which say that they are four pixels."""
    array = array_file(np.zeros((2, 2, 3), np.uint8)) + bytes(128 * MEBIBYTE)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("image.npy", array)
    return file.getvalue()


SCRIPT = b"<!DOCTYPE html><script>alert(document.cookie)</script>"
NOT_IMAGES: dict[str, Callable[[Path], bytes]] = {
    "text.png": lambda trap: b"GIF89a, or not: this is text\n" * 50,
    "empty.png": lambda trap: b"",
    "pickle.npy": lambda trap: array_file(np.array([Opened(trap)], object), allow_pickle=True),
    "bare.pkl": lambda trap: b"cos\nmkdir\n(S'" + str(trap).encode() + b"'\ntR.",
    "bomb.npz": lambda trap: zip_bomb(),
    "page.html": lambda trap: SCRIPT,
    "drawing.svg": lambda trap: b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>",
    "bomb.png": lambda trap: png_of(100_000, 100_000),
    "bomb.tif": lambda trap: tiff_of(100_000, 100_000),
    "cut.png": lambda trap: photo()[:200],
    "program.png": lambda trap: Path(sys.executable).read_bytes()[:10_000],
}


def test_files_are_what_their_bytes_are(server: Server, temporary: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"

    async def send_all() -> None:
        async with Visitor.at(server.address) as visitor:
            for name, content in NOT_IMAGES.items():
                answer = await visitor.send(content(trap), name)
                assert answer.status_code in (400, 413), name
                assert set(answer.json()) == {"error"}
                assert str(temporary) not in answer.text
                assert "unexpected" not in answer.text, answer.text
                assert files_in(temporary) == []

    asyncio.run(send_all())
    assert not trap.exists()


@pytest.mark.parametrize("name", ["a.html", "b.svg", "..%2f<script>.png", "\u202egnp.exe\0\n'\""])
def test_what_is_sent_is_not_sent_back(server: Server, name: str) -> None:
    async def look() -> None:
        async with Visitor.at(server.address) as visitor:
            number = await visitor.show(photo() + SCRIPT, name)
            told = await visitor.press("segment", "click", method="kmeans")
            assert "<script" not in str(told)
            picture = f"/segmint/desks/{visitor.desk}/{number}"
            listed = [each["name"] for each in values_of(told[-1], "files") for each in each]
            for path in (
                *("views/0/picture-0000.png", "views/1/labels-0000.png"),
                *(f"files/{file}" for file in (*listed, "labels.png", "result.json", quote(name))),
            ):
                answer = await visitor.client.get(f"{picture}/{path}")
                assert SCRIPT not in answer.content
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert "html" not in answer.headers["Content-Type"]
                assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
                if answer.is_success and path.startswith("files"):
                    assert answer.headers["Content-Disposition"].startswith("attachment")

    asyncio.run(look())


def test_numbers_that_are_none(server: Server) -> None:
    async def look() -> list[str]:
        said = []
        async with Visitor.at(server.address) as visitor:
            for value in (np.nan, np.inf, 3e38):
                pixels = np.linspace(0, 1, 24 * 32 * 3, dtype=np.float32).reshape(24, 32, 3)
                pixels[3:9, 5:20] = value
                sent = await visitor.send(array_file(pixels), "odd.npy")
                if sent.status_code == 200:
                    number = sent.json()["picture"]
                    await visitor.press("uploader", "upload", {"pictures": [number]})
                    said.append(await visitor.segment())
                else:
                    said.append(sent.json()["error"])
        return said

    for said in asyncio.run(look()):
        assert said.startswith("odd.npy"), said


def test_one_gigabyte(server: Server, temporary: Path) -> None:
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1024:
            sent += 1
            yield bytes(MEBIBYTE)

    async def send() -> tuple[int, int]:
        async with Visitor.at(server.address) as visitor:
            before = held(server.pid)
            answer = await visitor.send(parts(), "large.png")
            assert answer.status_code == 413
            assert "the file is larger than 512 MiB" in answer.json()["error"]
            assert files_in(temporary) == []
            return before, held(server.pid)

    before, after = asyncio.run(send())
    assert after - before < 64 * MEBIBYTE


# What others have.


def test_visitors_do_not_see_each_other(server: Server) -> None:
    async def meet() -> None:
        async with Visitor.at(server.address) as anna, Visitor.at(server.address) as bert:
            assert anna.desk != bert.desk
            number = await anna.show(photo())
            assert "components in" in await anna.segment(method="em-gmm")
            desk = f"/segmint/desks/{anna.desk}"
            own = [
                f"{desk}/{number}/views/0/picture-0000.png",
                f"{desk}/{number}/views/1/labels-0000.png",
                f"{desk}/{number}/probabilities/1?x=1&y=1&slice=0",
                f"{desk}/{number}/files/labels.png",
                f"{desk}/results.zip",
            ]
            for path in own:
                assert (await anna.client.get(path)).status_code == 200, path
                assert (await bert.client.get(path)).status_code == 404, path
                assert httpx.get(server.address + path).status_code == 404
            assert (await bert.client.post(anna.pictures, content=photo())).status_code == 404
            scribbles = f"{desk}/{number}/scribbles"
            assert (await bert.client.post(scribbles, content=photo())).status_code == 404
            said = bert.said("stop", "click") | {"session_hash": anna.session}
            for path, words in (
                (JOIN, said),
                ("/gradio_api/cancel", said | {"event_id": "a"}),
                ("/gradio_api/reset", said | {"event_id": "a"}),
            ):
                assert (await bert.client.post(path, json=words)).status_code == 404
            for path in (
                f"{DATA}?session_hash={anna.session}",
                f"/gradio_api/heartbeat/{anna.session}",
            ):
                assert (await bert.client.get(path)).status_code == 404
            # Nor do numbers of pictures lead to those of others.
            told = await bert.press("uploader", "select", {"picture": number})
            assert anna.desk not in str(told)
            assert "photo.png" not in str(told)

    asyncio.run(meet())


def test_nobody_stops_the_job_of_another(server: Server) -> None:
    async def meet() -> str:
        async with Visitor.at(server.address) as anna, Visitor.at(server.address) as bert:
            await anna.show(photo())
            job = await anna.join("segment", "click", **LONG)
            said, seen = "", 0
            async for message in anna.heard(job):
                said = (sentences(message) or [said])[-1]
                seen += "iteration" in str(message)
                if seen == 1:
                    await bert.press("stop", "click")
                    await bert.press("uploader", "clear", {"picture": 1})
                elif seen == 3:
                    await anna.join("stop", "click")
            return said

    assert "stopped by hand after iteration" in asyncio.run(meet())


# What happens to those who leave, and to processes.


def test_what_a_closed_tab_leaves(server: Server, temporary: Path) -> None:
    async def leave() -> None:
        async with Visitor.at(server.address) as anna:
            await anna.show(photo())
            job = await anna.join("segment", "click", **LONG)
            async for message in anna.heard(job):
                if "iteration" in str(message):
                    break
            assert "photo.png" in files_in(temporary)
        # The only process for jobs is free again: otherwise this would wait for ten minutes.
        assert "components in" in await _answered(server.address)
        await until(lambda: files_in(temporary) == [])

    asyncio.run(leave())


@pytest.mark.parametrize("how", ["lost", "canceled"])
def test_a_lost_stream_does_not_lock_the_tab(server: Server, how: str) -> None:
    async def lose() -> str:
        async with Visitor.at(server.address) as anna:
            await anna.show(photo())
            words = anna.said("segment", "click")
            job = await anna.join("segment", "click", **LONG)
            async for message in anna.heard(job):
                if "iteration" not in str(message):
                    continue
                if how == "lost":
                    break
                canceled = await anna.client.post(
                    "/gradio_api/cancel", json=words | {"event_id": job}
                )
                assert canceled.status_code == 200
                break
            said = await anna.segment()
            while said.startswith("this page already works on an image"):
                said = await anna.segment()  # the job is still being ended
            return said

    assert "components in" in asyncio.run(lose())


def test_killed_processes_are_replaced(server: Server) -> None:
    async def kill() -> list[str]:
        async with Visitor.at(server.address) as anna:
            await anna.show(photo())
            job = await anna.join("segment", "click", **LONG)
            said, is_killed = [], False
            async for message in anna.heard(job):
                said += sentences(message)
                if "iteration" in str(message) and not is_killed:
                    is_killed = True
                    for child in children(server.pid):
                        os.kill(child, signal.SIGKILL)
            return [said[-1], await anna.segment()]

    last, after = asyncio.run(kill())
    assert last.startswith("the process that worked on it ")
    assert "components in" in after


def test_memory_comes_back(server: Server, temporary: Path) -> None:
    async def work() -> None:
        for name in ("hybrid", "em-gmm"):
            async with Visitor.at(server.address) as visitor:
                await visitor.show(photo(1200, 1600))
                assert "components in" in await visitor.segment(method=name)

    def all_held() -> int:
        return sum(map(held, [server.pid, *children(server.pid)]))

    asyncio.run(_answered(server.address))
    own, before = held(server.pid), all_held()
    asyncio.run(work())
    asyncio.run(until(lambda: files_in(temporary) == []))
    asyncio.run(until(lambda: all_held() - before < KEPT))
    assert held(server.pid) - own < KEPT_BY_SERVER


def test_fifty_visitors_at_once(server: Server, temporary: Path) -> None:
    async def come() -> list[str]:
        return await asyncio.gather(*(_answered(server.address) for _ in range(VISITORS)))

    before = held(server.pid)
    said = asyncio.run(come())
    assert len(said) == VISITORS
    assert all("components in" in each for each in said), said
    asyncio.run(until(lambda: files_in(temporary) == []))
    assert held(server.pid) - before < KEPT_BY_SERVER


def test_a_full_queue_is_said_and_a_killed_server_leaves_nothing(tmp_path: Path) -> None:
    password = tmp_path / "password.txt"
    password.write_text("secret words\n")
    options = ("--waiting", "1", "--password-file", str(password))
    with started_in(tmp_path, *options) as server:
        assert httpx.get(server.address, timeout=PATIENCE).status_code == 401
        assert httpx.get(f"{server.address}/config", timeout=PATIENCE).status_code == 401
        processes = asyncio.run(_crowd(server))
        assert len(processes) >= 3
    assert files_in(tmp_path) != []
    asyncio.run(until(lambda: not any(map(is_there, processes))))
    with started_in(tmp_path) as server:
        assert files_in(tmp_path) == []
        assert asyncio.run(_answered(server.address)).startswith("photo.png: ")
    assert files_in(tmp_path) == []
    assert list(tmp_path.glob("segmint-app-*")) == []


async def _crowd(server: Server) -> list[int]:
    """Three jobs where one may wait, then the end of the server; the processes it had."""
    login = httpx.post(
        f"{server.address}/segmint/login", data={"secret": "secret words"}, timeout=PATIENCE
    )
    assert login.status_code == 303
    cookies = dict(login.cookies)
    async with (
        Visitor.at(server.address, cookies=cookies) as anna,
        Visitor.at(server.address, cookies=cookies) as bert,
        Visitor.at(server.address, cookies=cookies) as carl,
    ):
        for visitor in (anna, bert, carl):
            await visitor.show(photo())
        jobs = [await anna.begun("iteration", **LONG), await bert.begun("waiting", **LONG)]
        assert "1 others wait already" in await carl.segment()
        processes = children(server.pid)
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.gather(*jobs, return_exceptions=True)
        return processes
