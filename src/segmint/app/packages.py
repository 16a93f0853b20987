"""The packages of the extra ``app``, which not everyone has."""

from __future__ import annotations

import importlib.util

from segmint.errors import InputError

_PACKAGES = ("gradio", "fastapi", "starlette", "uvicorn")


def check_app_packages() -> None:
    """Refuse to show the page where its packages are missing.

    Raises:
        InputError: names the missing ones and says how to install them.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise InputError(
            f"the page needs {', '.join(missing)}, which {verb} not installed: "
            "pip install 'segmint[app]'"
        )
