"""The pages and programs of the site."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(place: Path) -> ModuleType:
    """A file that is in no package."""
    found = importlib.util.spec_from_file_location(f"docs_{place.stem}", place)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def notebooks() -> ModuleType:
    """What runs notebooks and shows them."""
    return load(ROOT / "docs/hooks/notebooks.py")


@pytest.fixture(scope="session")
def reference() -> ModuleType:
    """What finds the public names of a package."""
    return load(ROOT / "docs/hooks/reference.py")


@pytest.fixture(scope="session")
def no_requests() -> ModuleType:
    """What looks for pages that load from other machines."""
    return load(ROOT / "docs/hooks/no_requests.py")


@pytest.fixture(scope="session")
def pages() -> ModuleType:
    """What reads blocks and commands."""
    return load(Path(__file__).with_name("pages.py"))
