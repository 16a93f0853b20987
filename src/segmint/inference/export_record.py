"""What an exported file says of itself, so that it can be used without the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, cast

from segmint import __version__
from segmint.datasets.preprocessing import Preprocessing
from segmint.errors import InputError
from segmint.networks.reach import Reach

ENTRY = "segmint"
"""Name of the entry in a file's metadata."""
FORMAT = 1
"""Number of this description; a file with a greater one is of a later version."""

_LONGEST = 1_000_000
"""Letters of a description, which has a few thousand."""
_MOST_SIDE = 2**16
_MOST_BYTES = 1e6
"""Of memory a pixel, which takes thousands at most."""


@dataclass(frozen=True, kw_only=True)
class ExportRecord:
    """What becomes of an image in an exported file, and what its answers mean."""

    recipe: str
    """That the networks learned by."""
    peer: str | None = None
    """Of a run with several networks, the one that answers, or the ensemble."""
    seed: int
    """Of the training."""
    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    """RGB color of each class."""
    channels: int
    channel_names: tuple[str, ...] = ()
    preprocessing: Preprocessing
    """``resize`` above 0 is left to the caller: the file takes images of that shorter side."""
    full_value: float = 255.0
    """Largest value that can be stored in an image."""
    activation: Literal["softmax", "sigmoid"]
    precision: Literal["float32", "int8"] = "float32"
    outputs: tuple[str, ...]
    """Names of what the file answers with."""
    reach: Reach
    bytes_per_pixel: float
    """Memory that the networks took in torch, a pixel of their input."""
    checks: tuple[Mapping[str, Any], ...] = ()
    """How it compared with the networks when it was written."""
    notes: tuple[str, ...] = ()

    def as_json(self) -> str:
        """Text for the metadata of a file."""
        reach = self.reach
        told = {
            "version": FORMAT,
            "written_by": f"segmint {__version__}",
            "recipe": self.recipe,
            "peer": self.peer,
            "seed": self.seed,
            "classes": self.classes,
            "palette": self.palette,
            "channels": self.channels,
            "channel_names": self.channel_names,
            "preprocessing": self.preprocessing.as_dict(),
            "resize": self.preprocessing.resize,
            "full_value": self.full_value,
            "activation": self.activation,
            "precision": self.precision,
            "outputs": self.outputs,
            "reach": {
                "step": reach.step,
                "least": reach.least,
                "halo": reach.halo,
                "most": reach.most,
            },
            "bytes_per_pixel": self.bytes_per_pixel,
            "checks": self.checks,
            "notes": self.notes,
        }
        return json.dumps(told, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What :meth:`as_json` wrote, checked, for a file may hold anything.

        Raises:
            InputError: names what is missing or damaged, or says that the file is of a later
                version.
        """
        found = _parsed(text)
        version = found.get("version")
        if type(version) is int and version > FORMAT:
            raise InputError(
                f"it was written by a later version ({found.get('written_by', 'unknown')!s:.40}), "
                "which this one cannot read: update segmint"
            )
        reader = _Reader(found)
        classes = reader.texts("classes")
        record = cls(
            recipe=reader.text("recipe"),
            peer=None if found.get("peer") is None else reader.text("peer"),
            seed=reader.whole("seed", 0, 2**32 - 1),
            classes=classes,
            palette=reader.palette(len(classes)),
            channels=reader.whole("channels", 1, _MOST_SIDE),
            channel_names=reader.texts("channel_names"),
            preprocessing=Preprocessing.from_mapping(reader.mapping("preprocessing")),
            full_value=reader.positive("full_value"),
            activation=cast(Any, reader.word("activation", ("softmax", "sigmoid"))),
            precision=cast(Any, reader.word("precision", ("float32", "int8"))),
            outputs=reader.texts("outputs"),
            reach=reader.reach(),
            bytes_per_pixel=reader.positive("bytes_per_pixel", _MOST_BYTES),
            checks=tuple(reader.listed("checks", dict)),
            notes=reader.texts("notes"),
        )
        reader.expect("version", type(version) is int and version == FORMAT)
        reader.expect("classes", len(classes) > 0)
        reader.expect("channels", record.preprocessing.channels == record.channels)
        reader.expect("channel_names", len(record.channel_names) in (0, record.channels))
        reader.expect("outputs", {"labels", "probabilities"} <= set(record.outputs))
        return record


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError("its description is damaged: export the run again")
    return found


@dataclass(frozen=True)
class _Reader:
    """Entries of a description by their kind."""

    found: Mapping[str, Any] = field(repr=False)

    def expect(self, name: str, is_good: bool) -> None:
        if not is_good:
            raise InputError(f"its description is damaged (no usable {name}): export the run again")

    def text(self, name: str) -> str:
        value = self.found.get(name)
        self.expect(name, isinstance(value, str))
        return str(value)

    def word(self, name: str, accepted: tuple[str, ...]) -> str:
        value = self.text(name)
        self.expect(name, value in accepted)
        return value

    def listed(self, name: str, kind: type) -> list[Any]:
        values = self.found.get(name)
        self.expect(name, isinstance(values, list) and all(type(each) is kind for each in values))
        return cast("list[Any]", values)

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self.listed(name, str))

    def whole(self, name: str, low: int, high: int, *, of: Mapping[str, Any] | None = None) -> int:
        value = (self.found if of is None else of).get(name)
        self.expect(name, type(value) is int and low <= value <= high)
        return cast(int, value)

    def positive(self, name: str, high: float = 1e30) -> float:
        value = self.found.get(name)
        self.expect(name, type(value) in (int, float) and 0 < cast(float, value) <= high)
        return float(cast(float, value))

    def mapping(self, name: str) -> dict[str, Any]:
        value = self.found.get(name)
        self.expect(name, isinstance(value, dict))
        return cast("dict[str, Any]", value)

    def palette(self, classes: int) -> tuple[tuple[int, int, int], ...]:
        rows = self.listed("palette", list)
        is_color = all(
            len(row) == 3 and all(type(each) is int and 0 <= each <= 255 for each in row)
            for row in rows
        )
        self.expect("palette", is_color and len(rows) == classes)
        return tuple((row[0], row[1], row[2]) for row in rows)

    def reach(self) -> Reach:
        told = self.mapping("reach")
        sizes: dict[str, Any] = {
            name: self.whole(name, 0, _MOST_SIDE, of=told) for name in ("step", "least")
        }
        ends: dict[str, Any] = {
            name: None if told.get(name) is None else self.whole(name, 0, _MOST_SIDE, of=told)
            for name in ("halo", "most")
        }
        reach = Reach(**sizes, **ends)
        self.expect("reach", reach.step > 0 and (reach.halo or 0) % reach.step == 0)
        # Tiles of one pixel cannot overlap.
        self.expect("reach", reach.most is None or reach.most >= max(2, reach.step, reach.least))
        return reach
