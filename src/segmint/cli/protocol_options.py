"""Options about the scores of a field, which commands that evaluate share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmint.errors import UsageError
from segmint.metrics.protocols import protocols
from segmint.metrics.surface_distances import LONGEST, are_lengths
from segmint.options import Options, option

if TYPE_CHECKING:
    from segmint.metrics.protocol import Protocol

NONE = "none"
_SURFACES = "surfaces"
_AXES = (2, 3)


@dataclass(frozen=True, kw_only=True)
class ProtocolOptions(Options):
    """Scores that a field agreed on."""

    protocol: str | None = option(None)
    """Families of scores to add, joined by commas: membranes, boundaries, surfaces, instances,
    calibration ('segmint list' says what each holds); a run adds those of its data set by itself,
    boundaries without thresholds, and none leaves them out."""
    spacing: str | None = option(None)
    """Millimeters between rows, between columns and, of a stack, between slices, as 1.5,1.5,3; if
    not given what the files tell, and without that distances are in pixels."""
    tolerance: float | None = option(None, low=0)
    """Distance within which surfaces agree for the surface Dice, in millimeters or pixels; if not
    given 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.asked:
            protocols.entry(name)
        names = [part.strip() for part in (self.protocol or "").split(",")]
        if self.protocol is not None and names != [NONE] and (not self.asked or NONE in names):
            raise UsageError(
                f"--protocol is {self.protocol!r}, accepted are names joined by commas, or none "
                f"alone: {', '.join(protocols)}"
            )
        self.steps  # noqa: B018 (refuses what is no spacing)

    @property
    def asked(self) -> tuple[str, ...]:
        """Names that were asked for, each once."""
        names = (part.strip() for part in (self.protocol or "").split(","))
        return tuple(dict.fromkeys(name for name in names if name not in ("", NONE)))

    def with_own(self, own: Sequence[str]) -> tuple[str, ...]:
        """Those of the data set and those asked for, or none at all."""
        if self.protocol is not None and self.protocol.strip() == NONE:
            return ()
        return tuple(dict.fromkeys([*own, *self.asked]))

    @property
    def steps(self) -> tuple[float, ...] | None:
        """The spacing in the order of the axes of arrays, slices first; None if not given."""
        if self.spacing is None:
            return None
        try:
            steps = tuple(float(part) for part in self.spacing.split(","))
        except ValueError:
            steps = ()
        if len(steps) not in _AXES or not are_lengths(steps):
            raise UsageError(
                f"--spacing is {self.spacing!r}, accepted are two or three lengths above 0 up to "
                f"{LONGEST:.0f} joined by commas, of rows, columns and slices: --spacing 1.5,1.5,3"
            )
        return steps if len(steps) == min(_AXES) else (steps[2], *steps[:2])

    def check_used(self, names: Sequence[str]) -> None:
        """Refuse options about surfaces where none are scored.

        Args:
            names: of all protocols that are scored.

        Raises:
            UsageError: names the first of them.
        """
        given = {"--spacing": self.spacing, "--tolerance": self.tolerance}
        unused = [name for name, value in given.items() if value is not None]
        if unused and _SURFACES not in names:
            raise UsageError(
                f"{unused[0]} is of surfaces, which are not scored here: add --protocol "
                f"{','.join((*names, _SURFACES))}, or leave it out"
            )

    def changed(self) -> Mapping[str, Protocol]:
        """Protocols that these options change, by name."""
        if self.tolerance is None:
            return {}
        from segmint.metrics.surface_protocol import surfaces

        return {_SURFACES: surfaces(tolerance=self.tolerance)}
