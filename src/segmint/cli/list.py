"""``segmint list``: what the registries hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from cyclopts import Parameter

from segmint.cli import commands, console
from segmint.datasets import datasets
from segmint.methods import methods
from segmint.metrics.protocols import protocols
from segmint.networks import networks
from segmint.objectives import terms
from segmint.recipes import recipes

FAMILIES = (methods, recipes, terms, networks, datasets, protocols, commands)


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def show(*, json: Annotated[bool, Parameter(negative=())] = False) -> int:
        """Print every method, recipe, term, network, data set, protocol and command.

        Args:
            json: print as JSON.
        """
        if json:
            console.result_json(
                {
                    f"{family.kind}s": {entry.name: entry.summary for entry in family.entries()}
                    for family in FAMILIES
                }
            )
            return 0
        for family in FAMILIES:
            console.result(f"{family.kind}s")
            width = max(len(name) for name in family)
            for entry in family.entries():
                console.result(f"  {entry.name.ljust(width)}  {entry.summary}")
            console.result()
        return 0

    return show
