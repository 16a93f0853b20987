"""Options of methods that a visitor may choose: numbers, words and switches, never a path."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from segmint.errors import UsageError, nearest, shortened
from segmint.methods import methods
from segmint.methods.method import Method
from segmint.options import Options


def offered_fields(options: type[Options]) -> list[dataclasses.Field[Any]]:
    """The fields that a visitor may set, in their order.

    A text that could be anything could be the path of a file, so such fields are left out: what
    stays are numbers, switches, and texts of a list of words.

    Example:
        >>> from segmint.methods.hybrid import HybridOptions
        >>> [field.name for field in offered_fields(HybridOptions)]
        ['components', 'fineness', 'working_pixels']
    """
    kinds = typing.get_type_hints(options)
    return [
        field for field in dataclasses.fields(options) if not _is_free(field, kinds[field.name])
    ]


def visitor_options(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options that a visitor gave, under the names of their fields.

    Args:
        method: whose options they are.
        given: by name or alias.

    Raises:
        UsageError: for a name that is unknown or that visitors may not set; values are checked
            where the options are made.

    Example:
        >>> visitor_options("hybrid", {"n_components": 5})
        {'components': 5}
    """
    chosen: Method = methods.load(method)
    names = chosen.options.names()
    offered = [field.name for field in offered_fields(chosen.options)]
    resolved = {}
    for name, value in given.items():
        field = names.get(name, name)
        if field not in offered:
            raise UsageError(
                f"option {shortened(name)!r} cannot be set here: {nearest(name, offered)}"
            )
        resolved[field] = value
    return resolved


def _is_free(field: dataclasses.Field[Any], kind: Any) -> bool:
    """Whether a field takes any text."""
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if typing.get_origin(kind) is tuple:
        kinds = typing.get_args(kind)
    return str in kinds and not (field.metadata.get("choices") or field.metadata.get("words"))
