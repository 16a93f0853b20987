"""Importing Gradio without the stub files that it would write beside its own sources.

As each of its components is defined, Gradio reads the component's source again to keep a ``.pyi``
file up to date: half of the time of its import, and a write into the installed package. It leaves
a component out whose source file cannot be found.
"""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any, cast


def import_gradio() -> ModuleType:
    """The module ``gradio``."""
    found = inspect.getfile

    def getfile(of: Any) -> str:
        if inspect.isclass(of) and of.__module__.startswith("gradio."):
            raise OSError("no stub file is wanted")
        return found(of)

    inspect.getfile = cast(Any, getfile)
    try:
        import gradio
    finally:
        inspect.getfile = found
    module: ModuleType = gradio
    return module
