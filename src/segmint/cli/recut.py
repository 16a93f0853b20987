"""``segmint recut``: a finished result cut, merged and named anew, without a new fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from segmint.cli import console
from segmint.cli.console import counted
from segmint.cli.parameters import whole_number
from segmint.errors import SegmintError, UsageError, shortened

if TYPE_CHECKING:
    from segmint.methods.segmentation import Segmentation


_LONGEST_NUMBER = 20
_SEVERAL = Parameter(consume_multiple=True, negative=(), show_default=False)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What becomes of a result."""

    components: int | None = None
    merged: Sequence[Sequence[int]] = ()
    names: dict[int, str] = field(default_factory=dict)

    @property
    def ending(self) -> str:
        """Of the name of a folder that stands beside the old one."""
        return "changed" if self.components is None else str(self.components)


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def recut(
        *results: str,
        components: Annotated[int | None, Parameter(converter=whole_number)] = None,
        merge: Annotated[tuple[str, ...], _SEVERAL] = (),
        name: Annotated[tuple[str, ...], _SEVERAL] = (),
        out: str | None = None,
        overwrite: Annotated[bool, Parameter(negative=())] = False,
    ) -> int:
        """Cut finished results into exactly so many components, merge components, name them.

        The merge tree kept in a result answers at once; nothing is fitted again. It is cut first,
        then components are merged, then they are named.

        Examples: 'segmint recut segmint-out/photo --components 5', 'segmint recut
        segmint-out/photo --merge 0,3 1,4 --name 0=cup 2=table'.

        Args:
            results: result folders that 'segmint segment' wrote.
            components: how many components, exactly.
            merge: ids that become one, the smallest of them, as 0,3; several groups one after the
                other. Other ids stay as they are.
            name: names of components, as 0=cup; ids are those after merging.
            out: folder for the new results; without it they stand beside the old ones, with the
                number, or 'changed', in their name.
            overwrite: write over results that are there.
        """
        changes = Changes(components=components, merged=_groups(merge), names=_names(name))
        if not results:
            raise UsageError("no result was named: give folders that 'segmint segment' wrote")
        if changes == Changes():
            raise UsageError("nothing was asked for: give --components, --merge or --name")
        failed = False
        for result in map(Path, results):
            try:
                target, found = _recut(result, changes, out, overwrite=overwrite)
            except SegmintError as error:
                if len(results) == 1:
                    raise
                console.complain(str(error) if str(result) in str(error) else f"{result}: {error}")
                failed = True
            else:
                count = counted(found.components, "component")
                console.result(f"{count}: result in {target}")
        return 1 if failed else 0

    return recut


def _recut(
    result: Path, changes: Changes, out: str | None, *, overwrite: bool
) -> tuple[Path, Segmentation]:
    from segmint.methods.storage import load_segmentation

    segmentation, image = load_segmentation(result)
    place = result if result.name not in ("", "..") else result.resolve()
    target = place.with_name(f"{place.name}-{changes.ending}")
    if out is not None:
        target = Path(out) / place.name
    if target.exists() and not overwrite:
        raise UsageError(f"{target} is there already: pass --overwrite or another --out")
    if image is None:
        console.say(
            f"{result}: its image cannot be read again, so the new result has no overlay.png and "
            "no components.csv"
        )
    found = segmentation.changed(
        components=changes.components, merged=changes.merged, names=changes.names
    )
    found.save(target, image)
    return target, found


def _groups(given: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(_id(part, "--merge", group) for part in group.split(",")) for group in given)


def _names(given: Sequence[str]) -> dict[int, str]:
    names: dict[int, str] = {}
    for pair in given:
        index, separator, name = pair.partition("=")
        label = _id(index, "--name", pair)
        if not separator:
            raise _refused("--name", pair)
        if label in names:
            raise UsageError(f"--name names component {label} twice: give it one name")
        names[label] = name
    return names


def _id(text: str, option: str, given: str) -> int:
    if not (text.strip().isascii() and text.strip().isdigit() and len(text) < _LONGEST_NUMBER):
        raise _refused(option, given)
    return int(text)


def _refused(option: str, given: str) -> UsageError:
    accepted = {
        "--merge": "ids with commas between them, as 0,3",
        "--name": "an id and its name, as 0=cup",
    }
    return UsageError(f"{option} is {shortened(given)!r}, accepted are {accepted[option]}")
