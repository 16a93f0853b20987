from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The first example of a test pays for lazy imports, so time limits for one example mislead.
settings.register_profile("segmint", deadline=None)
settings.load_profile("segmint")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and so would all that
# they start: tests send it to see what becomes of it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets that lies beside the checkout."""
    folder = _SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not here: there is no folder {folder}")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """The pictures of the tests are small: more threads only wait for each other."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The browser of the system; none is downloaded.

    Playwright runs an event loop in this thread: kept for longer, it would refuse to start again
    for tests of other files, and so would their own loops.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        pytest.skip(f"there is no browser to look with: none of {', '.join(_BROWSERS)}")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()
