"""The lines of a manifest, written and read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from segmint.engines.item import Item
from segmint.engines.manifest_header import (
    LONGEST_LINE,
    Beginning,
    beginning_of,
    is_torn_beginning,
)
from segmint.engines.outcome import STATES, Outcome
from segmint.errors import InputError

_MOST_NUMBER = 1 << 53
"""No collection has so many images, and every reader of JSON knows so many exactly."""
_LONGEST_SENTENCE = 10_000
_ENCODER = json.JSONEncoder(allow_nan=False, default=str)


def read_manifest(path: str | Path) -> Iterator[Mapping[str, Any]]:
    """What has become of each image, as a manifest says it, also while it is written.

    Nothing but JSON is read, a line at a time, and a last line that is not whole is left out.

    Args:
        path: of a manifest.

    Yields:
        For each image ``number`` in the collection (None when it is no longer named), ``image``,
        ``name`` of the folder of its result, ``state`` (done, failed or skipped), then what is told
        of a result, or the ``sentence`` that says why there is none.

    Raises:
        InputError: for a file that cannot be read or is no manifest, or a line that is damaged.
    """
    path = Path(path)
    with opened(path) as file:
        if read_beginning(file, path) is not None:
            for number, line in whole_lines(file, path):
                yield record_of(line, path, number)


def beginning_at(path: Path) -> tuple[Beginning | None, int]:
    """The first line of a manifest, and its bytes; None and 0 where not even that is whole.

    Raises:
        InputError: for a file that cannot be read, or of something else.
    """
    with opened(path) as file:
        beginning = read_beginning(file, path)
        return beginning, 0 if beginning is None else file.tell()


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A manifest to be read.

    Raises:
        InputError: when it cannot be.
    """
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is no file and so no manifest: name a manifest.jsonl")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): name a manifest.jsonl and check its "
            "permissions"
        ) from error


def read_beginning(file: BinaryIO, path: Path) -> Beginning | None:
    """The first line of a manifest; None where not even that is whole.

    Raises:
        InputError: for a file of something else.
    """
    line = file.readline(LONGEST_LINE + 1)
    if not line.endswith(b"\n") and is_torn_beginning(line):
        return None
    beginning = beginning_of(line) if line.endswith(b"\n") else None
    if beginning is None:
        raise InputError(
            f"{path} is no manifest that this version of segmint knows: name another folder, or "
            "move the file away"
        )
    return beginning


def whole_lines(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines after the first with their numbers, from 2; the last one only when it is whole.

    Raises:
        InputError: for a line that is too long to be one of a manifest.
    """
    number = 2
    while (line := file.readline(LONGEST_LINE + 1)).endswith(b"\n"):
        yield number, line
        number += 1
    if len(line) > LONGEST_LINE:
        raise _damaged(path, number)


def record_of(line: bytes, path: Path, number: int) -> dict[str, Any]:
    """What a line says.

    Args:
        line: whole.
        path: of the manifest.
        number: of the line in it, from 1.

    Raises:
        InputError: when it is damaged.
    """
    try:
        record = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, number) from error
    if not isinstance(record, dict) or not _is_of_image(record):
        raise _damaged(path, number)
    return record


def line_of(record: Mapping[str, Any]) -> bytes:
    """A whole line; what is not finite becomes null."""
    try:
        text = _ENCODER.encode(record)
    except ValueError:
        plain = json.loads(json.dumps(record, default=str), parse_constant=lambda name: None)
        text = json.dumps(plain)
    return text.encode("ascii") + b"\n"


def image_line(item: Item, outcome: Outcome) -> bytes:
    """What is kept of an image."""
    record: dict[str, Any] = {
        "number": item.number,
        "image": item.image,
        "name": item.name,
        "state": outcome.state,
    }
    further = {"region": item.region, "scribbles": item.scribbles}
    record |= {name: file for name, file in further.items() if file is not None}
    told = dict(outcome.told)
    if outcome.sentence:
        told["sentence"] = outcome.sentence[:_LONGEST_SENTENCE]
    line = line_of({**record, **told, **record})  # the first gives the order, the last the values
    if len(line) > LONGEST_LINE:
        notes = [f"what was told of it took {len(line):,} bytes and is left out"]
        return line_of({**record, "notes": notes})
    return line


def item_of(record: Mapping[str, Any]) -> Item:
    """The image that a line is of."""
    return Item(
        number=-1 if record["number"] is None else record["number"],
        image=record["image"],
        name=record["name"],
        region=record.get("region"),
        scribbles=record.get("scribbles"),
    )


def _is_of_image(record: Mapping[str, Any]) -> bool:
    number = record.get("number")
    return (
        record.get("state") in STATES
        and isinstance(record.get("image"), str)
        and isinstance(record.get("name"), str)
        and (number is None or (type(number) is int and 0 <= number < _MOST_NUMBER))
    )


def _damaged(path: Path, number: int) -> InputError:
    return InputError(
        f"line {number:,} of {path} is damaged: remove that line, and its image is looked at "
        "again, or give another --out"
    )
