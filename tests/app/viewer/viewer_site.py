"""A server that answers the viewer as ours does, and a tab that looks at it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

KINDS = {".js": "text/javascript", ".css": "text/css", ".png": "image/png", ".json": "text/json"}
STATIC = resources.files("segmint.app") / "static"
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; connect-src 'self'"
)
"""As strict as that of our server in what the viewer needs."""
FAR = 70_000
"""An id of more than 16 bits."""
Ids = npt.NDArray[np.int64]


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A picture as the bytes of a file."""
    out = io.BytesIO()
    Pillow.fromarray(pixels).save(out, format="PNG", compress_level=1)
    return out.getvalue()


def labels_png(ids: Ids) -> bytes:
    """Ids as a view holds them: 24 bits of id + 1."""
    return png(np.stack([(ids + 1) >> shift & 255 for shift in (0, 8, 16)], axis=-1).astype("u1"))


@dataclass
class Site:
    """What the server has, and what it was sent."""

    origin: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    """By address without query."""
    posted: list[tuple[str, bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answer: Callable[[str, bytes], tuple[int, dict[str, Any]]] = lambda path, body: (200, {})

    def view(self, picture: int, version: int, what: str, content: bytes) -> None:
        """Put a view where the page looks for it."""
        self.files[f"/segmint/desks/d/{picture}/views/{version}/{what}.png"] = content


class Handler(BaseHTTPRequestHandler):
    site: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, _ = self.path.partition("?")
        self.site.asked.append(self.path)
        content = self.site.files.get(path)
        self._say(200 if content is not None else 404, content or b"", Path(path).suffix)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.site.posted.append((self.path, body))
        status, answer = self.site.answer(self.path, body)
        self._say(status, json.dumps(answer).encode(), ".json")

    def _say(self, status: int, content: bytes, suffix: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", KINDS.get(suffix, "text/html; charset=utf-8"))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Nobody reads it."""


def publish(site: Site) -> None:
    """Put the page, our scripts and two pictures on the server."""
    scripts = STATIC.joinpath("scripts.txt").read_text("utf-8").split()
    for name in (*scripts, "viewer.css"):
        site.files[f"/segmint/static/{name}"] = STATIC.joinpath(name).read_bytes()
    tags = "".join(f'<script src="/segmint/static/{name}"></script>' for name in scripts)
    harness = Path(__file__).with_name("harness.html").read_text("utf-8")
    site.files["/"] = harness.replace("<!-- scripts -->", tags).encode()
    generator = np.random.default_rng(0)
    for number in (1, 2):
        pixels = generator.integers(90, 160, (80, 120, 3)).astype(np.uint8)
        site.view(number, 0, "picture-0000", png(pixels))
    site.view(1, 1, "labels-0000", labels_png(three_areas()))


def three_areas() -> Ids:
    """Ids 0, 1 and ``FAR`` in columns of 40 pixels, and outside in the lowest 10 rows."""
    ids = np.repeat(np.array([0, 1, FAR]), 40)[np.newaxis].repeat(80, axis=0)
    ids[70:] = -1
    return ids


class Tab:
    """A page that is open, with what happened in it."""

    def __init__(self, page: Any, site: Site) -> None:
        self.page = page
        self.site = site
        self.faults: list[str] = []
        page.on("console", lambda message: self.faults.append(message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        self._running = 0
        page.set_default_timeout(8000)
        page.on("request", lambda _: self._count(1))
        page.on("requestfinished", lambda _: self._count(-1))
        page.on("requestfailed", lambda _: self._count(-1))
        page.goto(f"{site.origin}/")

    def _count(self, more: int) -> None:
        self._running += more

    def give(self, value: dict[str, Any], *, to: tuple[str, ...] = ("viewer", "legend")) -> None:
        """Tell the parts what there is, and wait until it is drawn."""
        for part in to:
            self.page.evaluate("([id, value]) => give(id, value)", [part, value])
        self.arrive()

    def arrive(self) -> None:
        """Wait until nothing is on its way, and all of it is drawn."""
        self.settle(40)
        while self._running:
            self.settle(20)
        self.settle(80)

    def settle(self, milliseconds: int = 120) -> None:
        """Wait until what is put off for a moment is done."""
        self.page.wait_for_timeout(milliseconds)

    def events(self, name: str) -> list[Any]:
        """What was sent under a name, in order."""
        found = self.page.evaluate("events")
        return [data for _, each, data in found if each == name]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the view stands in the window."""
        box = self.page.locator(".segmint-picture").bounding_box()
        return box["x"] + box["width"] * x / 120, box["y"] + box["height"] * y / 80

    def click(self, x: float, y: float) -> None:
        """Click a point of the view."""
        self.page.mouse.click(*self.at(x, y))

    def press(self, name: str) -> None:
        """Click the button of a name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def pixel(self, layer: str, x: float, y: float) -> list[int]:
        """Red, green, blue and alpha of a layer at a point of the view."""
        found: list[int] = self.page.evaluate(
            """([layer, x, y]) => {
              const canvas = document.querySelector(layer);
              const [column, row] = [x * canvas.width / 120, y * canvas.height / 80];
              const probe = new OffscreenCanvas(1, 1).getContext("2d");
              probe.drawImage(canvas, -Math.floor(column), -Math.floor(row));
              return [...probe.getImageData(0, 0, 1, 1).data];
            }""",
            [layer, x, y],
        )
        return found
