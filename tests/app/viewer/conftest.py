"""A page with the viewer alone, in a real browser."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from viewer_site import FAR, Handler, Site, Tab, publish


@pytest.fixture(scope="session")
def server() -> Iterator[ThreadingHTTPServer]:
    """Answers for whatever site its handler has."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site(server: ThreadingHTTPServer) -> Site:
    """The page, two pictures, the first of them with three areas, and nothing else."""
    site = Site(origin=f"http://127.0.0.1:{server.server_port}")
    publish(site)
    Handler.site = site
    return site


@pytest.fixture
def value() -> dict[str, Any]:
    """What the page is told of the picture of three areas; native pixels are ten times smaller."""
    names = ("left", "", "<b>right</b>")
    legend = [
        {"id": number, "name": name, "color": color, "pixels": 280_000, "fraction": 7 / 24}
        for number, name, color in zip(
            (0, 1, FAR), names, ("#0072b2", "#e69f00", "#009e73"), strict=True
        )
    ]
    return {
        "desk": "d",
        "picture": 1,
        "name": "photo.png",
        "width": 1200,
        "height": 800,
        "view": {"width": 120, "height": 80},
        "slices": 1,
        "slice": 0,
        "version": 1,
        "legend": legend,
        "can_change": True,
        "can_paint": True,
        "has_probabilities": False,
        "maps": [],
        "frame": None,
        "scribbles": {"strokes": [], "base": None, "names": {}},
        "busy": False,
        "preview": False,
    }


@pytest.fixture
def open_tab(browser: Any, site: Site) -> Iterator[Callable[..., Tab]]:
    """Open the page as ``open_tab(width, height, **context)``."""
    contexts = []

    def open_it(width: int = 1366, height: int = 768, **options: Any) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        return Tab(context.new_page(), site)

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture
def tab(open_tab: Callable[..., Tab], value: dict[str, Any]) -> Tab:
    """The picture of three areas, on a laptop."""
    opened = open_tab()
    opened.give(value)
    return opened
