"""``segmint recut``: another number of components from a finished result, without a new fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from segmint.cli import console
from segmint.cli.console import counted
from segmint.cli.parameters import whole_number
from segmint.errors import SegmintError, UsageError


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def recut(
        *results: str,
        components: Annotated[int, Parameter(converter=whole_number)],
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
        if not results:
            raise UsageError("no result was named: give folders that 'segmint segment' wrote")
        failed = False
        for result in map(Path, results):
            try:
                target = _recut(result, components, out, overwrite=overwrite)
            except SegmintError as error:
                if len(results) == 1:
                    raise
                console.complain(str(error) if str(result) in str(error) else f"{result}: {error}")
                failed = True
            else:
                console.result(f"{counted(components, 'component')}: result in {target}")
        return 1 if failed else 0

    return recut


def _recut(result: Path, components: int, out: str | None, *, overwrite: bool) -> Path:
    from segmint.methods.storage import load_segmentation

    segmentation, image = load_segmentation(result)
    place = result if result.name not in ("", "..") else result.resolve()
    target = place.with_name(f"{place.name}-{components}")
    if out is not None:
        target = Path(out) / place.name
    if target.exists() and not overwrite:
        raise UsageError(f"{target} is there already: pass --overwrite or another --out")
    if image is None:
        console.say(
            f"{result}: its image cannot be read again, so the new result has no overlay.png and "
            "no components.csv"
        )
    segmentation.with_components(components).save(target, image)
    return target
