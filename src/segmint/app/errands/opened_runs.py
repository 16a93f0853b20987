"""Runs and exported files as a process keeps them open, so that the next image need not wait."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.errors import SegmintError

if TYPE_CHECKING:
    from segmint.recipes.answering import Answering

MOST_OPEN = 2
"""Networks of so many wishes stay in memory."""

_PLACES = ("run", "model")
"""What a result says of where a run and an exported file lie."""


@dataclass(frozen=True, kw_only=True)
class RunChoice:
    """Who shall answer, and how it computes."""

    places: tuple[str, ...]
    """Folders of runs and exported files."""
    peer: str | None = None
    tta: tuple[str, ...] = ()
    tta_scales: tuple[float, ...] = ()
    device: str = "auto"
    precision: str = "auto"
    max_memory: str | None = None


_opened: OrderedDict[tuple[Any, ...], Answering] = OrderedDict()


def opened(choice: RunChoice) -> Answering:
    """What answers; opened again only when its files have changed.

    Raises:
        InputError: for what is neither a run nor an exported file.
        UsageError: for an option that it does not take.
    """
    key = (choice, *map(_state, choice.places))
    found = _opened.pop(key, None) or _open(choice)
    _opened[key] = found
    while len(_opened) > MOST_OPEN:
        _opened.popitem(last=False)
    return found


def described(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a result without the folders that runs lie in.

    Example:
        >>> described({"run": "/home/somebody/runs/cells", "peer": "small"})
        {'run': 'cells', 'peer': 'small'}
    """
    shown = {name: _shown(name, value) for name, value in options.items()}
    if "members" in shown:
        shown["members"] = [described(each) for each in shown["members"]]
    return shown


@contextmanager
def places_hidden(places: Sequence[str]) -> Iterator[None]:
    """Let errors speak of runs by their names, without the folders that they lie in."""
    try:
        yield
    except SegmintError as error:
        text = str(error)
        for path in map(Path, places):
            if path.name not in ("", ".."):  # which hide nothing
                text = text.replace(str(path), path.name)
        raise type(error)(text) from error


def _open(choice: RunChoice) -> Answering:
    from segmint.inference.memory_limit import MemoryLimit
    from segmint.inference.tiling import Tiling
    from segmint.inference.views import Views
    from segmint.recipes.opening import open_answering

    views = Views(
        flips="flips" in choice.tta,
        rotations="rotations" in choice.tta,
        scales=choice.tta_scales if "scales" in choice.tta else (),
    )
    # Without a limit of its own, each image takes what is free then.
    limit = None if choice.max_memory is None else MemoryLimit.of(choice.max_memory)
    return open_answering(
        choice.places,
        device=choice.device,
        precision=choice.precision,
        peer=choice.peer,
        tiling=Tiling(limit=limit, views=views),
    )


def _state(place: str) -> tuple[Any, ...]:
    """What changes when a run is trained again or a file written anew."""
    path = Path(place)
    files = sorted(path.glob("**/*.safetensors")) if path.is_dir() else [path]
    return tuple((each.stat().st_mtime_ns, each.stat().st_size) for each in files if each.exists())


def _shown(name: str, value: Any) -> Any:
    is_place = name in _PLACES and isinstance(value, str)
    return Path(value).resolve().name if is_place else value
