"""``segmint data list``: the layouts of data sets that are known."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmint.cli import console
from segmint.cli.parameters import field_help
from segmint.datasets import datasets
from segmint.options import Options, option

if TYPE_CHECKING:
    from segmint.datasets.layout import Layout

HELP = """List the layouts of data sets, with what each needs in its folder.

Args:
    action: list.
"""


@dataclass(frozen=True, kw_only=True)
class ListOptions(Options):
    """How the list is printed."""

    json: bool = option(False)
    """Print as JSON, with the classes and options of each layout."""


def run(options: ListOptions) -> int:
    """Print the list."""
    if options.json:
        console.result_json({entry.name: _described(entry.name) for entry in datasets.entries()})
        return 0
    width = max(map(len, datasets))
    for entry in datasets.entries():
        console.result(f"{entry.name.ljust(width)}  {entry.summary}")
    return 0


def _described(name: str) -> dict[str, Any]:
    layout: type[Layout] = datasets.load(name)
    helps = field_help(layout.options_type)
    return {
        "needs": datasets.entry(name).summary,
        "classes": list(getattr(layout, "classes", ())),
        "options": {
            field.name: {
                "help": helps[field.name],
                "choices": field.metadata.get("choices"),
                "default": field.default,
            }
            for field in dataclasses.fields(layout.options_type)
        },
    }
