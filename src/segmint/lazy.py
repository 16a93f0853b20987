"""Names that are imported when first used (PEP 562), so that help loads nothing heavy."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any


def lazy_names(package: str, places: Mapping[str, str], name: str) -> Any:
    """What a package's ``__getattr__`` returns: the object of that name, remembered.

    Args:
        package: ``__name__`` of the package.
        places: name to the module that holds it.
        name: what was asked for.

    Raises:
        AttributeError: when the package has no such name.
    """
    if name not in places:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(places[name]), name)
    setattr(sys.modules[package], name, value)
    return value
