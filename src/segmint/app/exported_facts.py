"""What an exported file says of itself, read without the packages that compute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from segmint.errors import InputError
from segmint.images.reading import check_regular
from segmint.inference.onnx_packages import check_onnx_packages

SUFFIX = ".onnx"

_ENTRY = "segmint"
_LARGEST = 2**31


def exported_facts(path: Path) -> tuple[str, int]:
    """The recipe and the number of classes of a file; all else is checked when it answers.

    Raises:
        InputError: when it is no file that ``segmint export`` wrote, or the packages of
            ``segmint[onnx]`` are missing.
    """
    check_onnx_packages(f"{path}")
    check_regular(path)
    told = _told(path)
    recipe, classes = told.get("recipe"), told.get("classes")
    if not (isinstance(recipe, str) and isinstance(classes, list) and classes):
        raise InputError(f"{path} is damaged (it does not name its classes): export it again")
    return recipe, len(classes)


def _told(path: Path) -> dict[str, Any]:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        model = onnx.load_model_from_string(path.read_bytes())
        texts = {each.key: each.value for each in model.metadata_props}
        told = json.loads(texts[_ENTRY])
    except (DecodeError, LookupError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path} was not written by 'segmint export', or is damaged: give a file that was"
        ) from error
    return told if isinstance(told, dict) else {}
