"""Options that a comparison was given: for all arms, or for one of them by its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from segmint.comparisons.arm import Arm
from segmint.errors import UsageError, nearest, shortened

PRESET = "preset"
"""Name by which an arm is given its preset, like an option."""


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """Values by the names of their options."""

    shared: Mapping[str, Any] = field(default_factory=dict)
    """``section.option`` of recipes, ``option`` of methods."""
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The same by the label of an arm, its preset apart."""
    presets: Mapping[str, str] = field(default_factory=dict)
    """By the label of an arm."""


def sort_out(values: Mapping[str, Any], arms: Sequence[Arm]) -> Assigned:
    """Tell options of single arms from those of all.

    Args:
        values: by ``option``, ``section.option``, ``LABEL:option`` or ``LABEL:section.option``.
        arms: of the comparison.

    Raises:
        UsageError: for a label that no arm has, or a preset that is not one arm's.

    Example:
        >>> arms = (Arm(label="wide", way="recipe", name="unet"),)
        >>> sort_out({"optimizer.lr": 0.01, "wide:features": 64}, arms).own
        {'wide': {'features': 64}}
    """
    labels = [arm.label for arm in arms]
    shared: dict[str, Any] = {}
    own: dict[str, dict[str, Any]] = {}
    presets: dict[str, str] = {}
    for given, value in values.items():
        label, colon, name = given.partition(":")
        if not colon:
            if given == PRESET:
                raise UsageError(
                    f"preset={value} is of no arm: write LABEL:preset={value} with one of "
                    f"{', '.join(labels)}"
                )
            shared[given] = value
        elif label not in labels:
            shown = shortened(label)
            raise UsageError(f"{shortened(given)!r} is of no arm: {nearest(shown, labels)}")
        elif name == PRESET:
            presets[label] = str(value)
        else:
            own.setdefault(label, {})[name] = value
    return Assigned(shared=shared, own=own, presets=presets)
