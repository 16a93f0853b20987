"""The page: how soon it is there, how soon a photo is answered, and twenty visitors at once.

The server runs in processes of its own, on a free port of this machine. Labels of all visitors are
compared with those of ``segmint.segment`` before any number is printed. Start and first result are
taken in headless Chromium, where Playwright and a browser are at hand; visitors speak HTTP alone,
as the page does: each opens it with a cookie of its own, keeps a tab open, sends a photo, presses
"Segment" and fetches the labels.

Run: ``python benchmarks/bench_app.py [--visitors 20] [--jobs 1] [--rounds 3] [--skip-browser]``.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import re
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from measuring import machine, spread
from pictures import write_photo

WIDTH, HEIGHT = 481, 321
LONGEST = 600.0
"""Seconds that one visitor waits before the benchmark gives up."""
LONGEST_IN_BROWSER = 60.0
SETTLING = 20.0
"""Seconds after the last visitor left in which memory may come back."""
LAUNCH = ["--no-sandbox", "--disable-gpu"]


@dataclass(frozen=True)
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    address: str
    seconds: float
    """From its start to the printed address."""

    def memory(self) -> float:
        """MiB that the server and its processes hold; shared pages count once."""
        return sum(map(_proportional, _with_children(self.process.pid))) / 1024


@contextmanager
def served(*options: str) -> Iterator[Served]:
    """A server on a free port, ended with Ctrl-C."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "segmint", "app", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address.startswith("http"):
                raise RuntimeError(f"the server did not start: {address!r}")
            yield Served(process, address, time.perf_counter() - start)
        finally:
            process.send_signal(signal.SIGINT)


def main(arguments: Sequence[str]) -> None:
    """Do what is asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="starts and first results")
    parser.add_argument("--skip-browser", action="store_true")
    asked = parser.parse_args(arguments)
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        photo = write_photo(Path(name), WIDTH, HEIGHT)
        if not asked.skip_browser:
            print_first_results(photo, asked.rounds)
        print_load(photo, asked.visitors, asked.jobs)


def seconds_of_a_cut(page: Any) -> float:
    """From another number of components to its labels."""
    start = time.perf_counter()
    with page.expect_response("**/labels-0000.png"):
        page.locator("#cut input[type=number]").fill("5")
        page.keyboard.press("Enter")
    return time.perf_counter() - start


def seconds_of_strokes(page: Any) -> list[float]:
    """From the end of each stroke, from the second on, to the labels that follow it."""
    page.get_by_role("button", name="Paint", exact=True).click()
    box = page.locator(".segmint-strokes").bounding_box()
    taken = []
    for area in range(5):
        page.get_by_role("button", name=f"Paint area {area % 3}", exact=True).click()
        y = box["y"] + box["height"] * (0.1 + 0.18 * area)
        page.mouse.move(box["x"] + 0.2 * box["width"], y)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.4 * box["width"], y, steps=6)
        if area == 0:
            page.mouse.up()
            page.locator("#status", has_text="second area").wait_for()
            continue
        with page.expect_response("**/labels-0000.png"):
            page.mouse.up()
            start = time.perf_counter()
        taken.append(time.perf_counter() - start)
    return taken


def print_first_results(photo: Path, rounds: int) -> None:
    """Start, first paint, readiness and the first result, each round on a server of its own."""
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        with served() as server:
            taken.setdefault("address printed after", []).append(server.seconds)
            for what, seconds in in_browser(server.address, photo).items():
                taken.setdefault(what, []).append(seconds)
    for what, seconds in taken.items():
        print(f"{what} {spread(seconds, 2)}", flush=True)


def in_browser(address: str, photo: Path) -> dict[str, float]:
    """Seconds of a first visit, the second of which begins where the page is usable."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=LAUNCH)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(LONGEST_IN_BROWSER * 1000)
        start = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.locator("#segment:visible").wait_for()
        page.locator("#uploader input[type=file]").wait_for(state="attached")
        usable = time.perf_counter() - start
        paints = page.evaluate(
            "() => Object.fromEntries(performance.getEntriesByType('paint')"
            ".map(each => [each.name, each.startTime / 1000]))"
        )
        start = time.perf_counter()
        while True:  # before its first event the page has no desk to upload to
            with page.expect_response(lambda answer: "/pictures" in answer.url) as answer:
                page.locator("#uploader input[type=file]").set_input_files(photo)
            if answer.value.ok:
                break
            start = time.perf_counter()
        page.locator("#status", has_text=photo.name).wait_for()
        opened = time.perf_counter() - start
        start = time.perf_counter()
        page.locator("#segment").press("Enter")
        page.locator("#status", has_text=re.compile(r"component.* in ")).wait_for()
        result = time.perf_counter() - start
        cut, strokes = seconds_of_a_cut(page), seconds_of_strokes(page)
        browser.close()
    return {
        "first paint": paints["first-contentful-paint"],
        "page usable": usable,
        f"photo {WIDTH}x{HEIGHT} opened": opened,
        "its first result": result,
        "another number of components": cut,
        "a stroke, to the labels that follow": statistics.median(strokes),
        "the slowest of four strokes": max(strokes),
    }


def print_load(photo: Path, visitors: int, jobs: int) -> None:
    """Visitors at once: what each waited, and what the server held."""
    with served("--jobs", str(jobs), "--waiting", str(max(50, visitors))) as server:
        asyncio.run(_visit(server, photo, np.ones(0, np.int64)))  # a warm-up
        before = server.memory()
        taken, peak = asyncio.run(all_visit(server, photo, visitors, expected_labels(photo)))
        after = _lowest_memory(server, before)
    for what in ("page", "upload", "segment", "labels", "in all"):
        print(f"{what}: {percentiles([each[what] for each in taken])}")
    print(
        f"{len(taken)} of {visitors} visitors answered, {jobs} at a time, with the labels of "
        f"segmint.segment; server and its processes {before:.0f} MiB before, {peak:.0f} MiB at "
        f"most, {after:.0f} MiB after they left",
        flush=True,
    )


def expected_labels(photo: Path) -> NDArray[np.int64]:
    """What the command line says of the photo."""
    import segmint

    labels = segmint.segment(segmint.read_image(photo)).labels
    return np.asarray(labels, np.int64)


async def all_visit(
    server: Served, photo: Path, visitors: int, expected: NDArray[np.int64]
) -> tuple[list[dict[str, float]], float]:
    """Seconds of each visitor, and the most memory that the server held, in MiB."""
    peak = server.memory()

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, await asyncio.to_thread(server.memory))
            await asyncio.sleep(0.25)

    watching = asyncio.create_task(watch())
    visits = (_visit(server, photo, expected) for _ in range(visitors))
    found = await asyncio.gather(*visits, return_exceptions=True)
    watching.cancel()
    lost = [each for each in found if isinstance(each, BaseException)]
    if lost:
        raise RuntimeError(f"{len(lost)} of {visitors} visitors were lost: {lost[0]!r}")
    return [each for each in found if isinstance(each, dict)], peak


async def _visit(server: Served, photo: Path, expected: NDArray[np.int64]) -> dict[str, float]:
    """One visitor, from opening the page to the labels; they are compared where some are expected.

    Returns:
        Seconds of each part.
    """
    taken: dict[str, float] = {}
    begun = time.perf_counter()
    async with (
        asyncio.timeout(LONGEST),
        httpx.AsyncClient(base_url=server.address, timeout=LONGEST) as client,
    ):
        with _timed(taken, "page"):
            tab = await Tab.open(client)
        async with tab.kept():
            with _timed(taken, "upload"):
                picture = await tab.upload(photo)
            with _timed(taken, "segment"):
                await tab.press("segment", "click")
            with _timed(taken, "labels"):
                labels = await tab.labels(picture, version=1)
    taken["in all"] = time.perf_counter() - begun
    if expected.size and not np.array_equal(labels, expected):
        raise RuntimeError("labels differ from those of segmint.segment")
    return taken


@dataclass
class Tab:
    """One tab, spoken for by HTTP as the page's own scripts speak."""

    client: httpx.AsyncClient
    config: dict[str, Any]
    session: str
    desk: str = ""

    @classmethod
    async def open(cls, client: httpx.AsyncClient) -> Tab:
        """Load the page, its description and its style, and get a desk."""
        for address in ("/", "/theme.css"):
            (await client.get(address)).raise_for_status()
        config = (await client.get("/config")).raise_for_status().json()
        tab = cls(client, config, secrets.token_hex(6))
        told = await tab.press(None, "load")
        (tab.desk,) = set(_values_of(told, "desk"))
        return tab

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Within it the server knows that the tab is open."""

        async def beat() -> None:
            address = f"/gradio_api/heartbeat/{self.session}"
            async with self.client.stream("GET", address, timeout=None) as stream:
                async for _ in stream.aiter_raw():
                    pass

        beating = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError):
                await beating

    async def upload(self, photo: Path) -> int:
        """Send a photo, and show it; its number."""
        sent = await self.client.post(
            f"/segmint/desks/{self.desk}/pictures",
            params={"name": photo.name},
            content=photo.read_bytes(),
        )
        picture = int(sent.raise_for_status().json()["picture"])
        await self.press("uploader", "upload", {"pictures": [picture]})
        return picture

    async def press(self, element: str | None, event: str, data: Any = None) -> Any:
        """Do what a part of the page does on an event, and wait until it is done.

        Returns:
            The last of what the server said.
        """
        dependency, inputs = self._found(element, event)
        joined = await self.client.post(
            "/gradio_api/queue/join",
            json={
                "data": inputs,
                "fn_index": dependency,
                "session_hash": self.session,
                "event_data": data,
            },
        )
        event_id = joined.raise_for_status().json()["event_id"]
        async with self.client.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": self.session}
        ) as stream:
            async for line in stream.aiter_lines():
                message = json.loads(line.removeprefix("data:")) if line else {}
                if message.get("event_id") != event_id:
                    continue
                if message["msg"] == "process_completed":
                    if not message["success"]:
                        raise RuntimeError(f"{element} failed: {message['output']}")
                    return message["output"]
        raise RuntimeError(f"{element} was never done")

    async def labels(self, picture: int, *, version: int) -> NDArray[np.int64]:
        """(H, W) ids as the viewer reads them from the picture of labels; -1 outside."""
        address = f"/segmint/desks/{self.desk}/{picture}/views/{version}/labels-0000.png"
        content = (await self.client.get(address)).raise_for_status().content
        with Image.open(io.BytesIO(content)) as opened:
            red, green, blue = np.asarray(opened.convert("RGB"), np.int64).transpose(2, 0, 1)
        return np.asarray(red + 256 * green + 65536 * blue - 1)

    def _found(self, element: str | None, event: str) -> tuple[int, list[Any]]:
        """The number of what happens, and what the controls say as they are when untouched."""
        components = {each["id"]: each["props"] for each in self.config["components"]}
        for dependency in self.config["dependencies"]:
            for target, name in dependency["targets"]:
                at = components.get(target, {}).get("elem_id")
                if name == event and (element is None or at == element):
                    inputs = [components[each].get("value") for each in dependency["inputs"]]
                    return int(dependency["id"]), inputs
        raise RuntimeError(f"the page has nothing that happens on {event} of {element}")


def percentiles(seconds: Sequence[float]) -> str:
    """Median, 95th percentile and greatest."""
    median, high = statistics.median(seconds), float(np.percentile(seconds, 95))
    return f"median {median:.2f} s, 95 % within {high:.2f} s, all within {max(seconds):.2f} s"


def _values_of(told: Any, name: str) -> Iterator[Any]:
    """All values of that name, however deep."""
    if isinstance(told, dict):
        if told.get(name):
            yield told[name]
        for each in told.values():
            yield from _values_of(each, name)
    elif isinstance(told, list):
        for each in told:
            yield from _values_of(each, name)


@contextmanager
def _timed(taken: dict[str, float], what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    taken[what] = time.perf_counter() - start


def _lowest_memory(server: Served, enough: float) -> float:
    """MiB when the visitors have been gone for a while, or as soon as it is what it was."""
    lowest, last = server.memory(), time.monotonic() + SETTLING
    while lowest > enough and time.monotonic() < last:
        time.sleep(1)
        lowest = min(lowest, server.memory())
    return lowest


def _with_children(process: int) -> Iterator[int]:
    yield process
    with suppress(OSError):
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            for child in children.read_text().split():
                yield from _with_children(int(child))


def _proportional(process: int) -> int:
    """KiB of a process, of shared pages its part (Linux)."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main(sys.argv[1:])
