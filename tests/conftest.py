from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

# The first example of a test pays for lazy imports, so time limits for one example mislead.
settings.register_profile("segmint", deadline=None)
settings.load_profile("segmint")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and so would all that
# they start: tests send it to see what becomes of it.
signal.signal(signal.SIGINT, signal.default_int_handler)

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
