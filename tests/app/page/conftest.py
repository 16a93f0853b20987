"""The real server, a browser that looks at it, and a run to ask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segmint.datasets.synthetic import write_cells
from segmint.recipes.training import train

sys.path.insert(0, str(Path(__file__).parent))
from page_tab import Server, Tab, started

SMALL: dict[str, Any] = {
    "dataset": "folder",
    "resize": 0,
    "crop": 32,
    "batch_size": 2,
    "epochs": 2,
    "augmentation": "none",
}


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of one network and one of two."""
    folder = tmp_path_factory.mktemp("runs")
    data = folder / "data"
    write_cells(data, train=4, val=2, height=64, width=72, cells=5)
    train("unet", data, out=folder / "runs" / "cells", features=4, levels=1, **SMALL)
    train(
        "mutual",
        data,
        out=folder / "runs" / "peers",
        peers=("tiny=unet", "small=unet"),
        peer_options=("tiny.features=2", "tiny.levels=1", "small.features=4", "small.levels=1"),
        **SMALL,
    )
    return folder / "runs"


@pytest.fixture(scope="session")
def cell_photo(runs: Path) -> Path:
    """An image like those that the runs learned on."""
    return sorted((runs.parent / "data").rglob("images/*.png"))[0]


@pytest.fixture(scope="module")
def server(runs: Path) -> Iterator[Server]:
    """``segmint app`` as a user starts it."""
    with started(str(runs)) as running:
        yield running


@pytest.fixture
def open_tab(browser: Any, server: Server) -> Iterator[Callable[..., Tab]]:
    """Open the page as a visitor of its own."""
    contexts = []

    def open_page(width: int = 1366, height: int = 768, **options: Any) -> Tab:
        context = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True, **options
        )
        contexts.append(context)
        return Tab(context.new_page(), server.address)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def tab(open_tab: Callable[..., Tab]) -> Tab:
    """The page on a laptop."""
    return open_tab()
