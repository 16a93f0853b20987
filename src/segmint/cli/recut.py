"""``segmint recut``: another number of components from a finished result, without a new fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from segmint.cli import console


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def recut(
        *results: str,
        components: int,
        out: str | None = None,
        overwrite: Annotated[bool, Parameter(negative=())] = False,
    ) -> int:
        """Cut finished results into exactly so many components.

        The merge tree kept in a result answers at once; nothing is fitted again.

        Args:
            results: result folders that 'segmint segment' wrote.
            components: how many components, exactly.
            out: folder for the new results; without it they stand beside the old ones, with the
                number in their name.
            overwrite: write over results that are there.
        """
        from segmint.errors import UsageError
        from segmint.methods.storage import load_segmentation

        if not results:
            raise UsageError("no result was named: give folders that 'segmint segment' wrote")
        for result in map(Path, results):
            segmentation, image = load_segmentation(result)
            target = result.with_name(f"{result.name}-{components}")
            if out is not None:
                target = Path(out) / result.name
            if target.exists() and not overwrite:
                raise UsageError(f"{target} is there already: pass --overwrite or another --out")
            segmentation.with_components(components).save(target, image)
            console.result(f"{components} components: result in {target}")
        return 0

    return recut
