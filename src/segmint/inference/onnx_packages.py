"""The packages of the extra ``onnx``, which not everyone has."""

from __future__ import annotations

import importlib.util

from segmint.errors import InputError

_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def check_onnx_packages(what: str) -> None:
    """Refuse what needs ONNX where its packages are missing.

    Args:
        what: needs them, as the beginning of a sentence.

    Raises:
        InputError: names the missing ones and says how to install them.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise InputError(
            f"{what} needs {', '.join(missing)}, which {verb} not installed: "
            "pip install 'segmint[onnx]'"
        )
