"""Which arms an option reaches that was given for all, said where it is not all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from segmint.comparisons.arm import BLANK, Arm
from segmint.comparisons.arm_settings import takes
from segmint.errors import shortened

_DATA = "data."
"""Begins the options that decide on the images of all arms."""
_NETWORK = "network."


def reach_notes(
    arms: Sequence[Arm], shared: Mapping[str, Any], settings: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """A sentence for each option that some arms take and others do not.

    Args:
        arms: of a comparison.
        shared: what was given for all of them.
        settings: all options of each by its label.
    """
    able = [arm for arm in arms if arm.name != BLANK]
    for name, value in shared.items():
        reached = [arm for arm in able if takes(arm, name)]
        others = [
            arm for arm in able if arm not in reached and not _peers_have(settings[arm.label], name)
        ]
        if reached and others and not name.startswith(_DATA):
            given = shortened(f"{name}={value}")
            verb = "has" if len(others) == 1 else "have"
            told = (
                f"the option {given} is of {_named(reached)}; {_named(others)} {verb} no such "
                "option"
            )
            hints = list(_peers_too(reached, others, name, value, settings))
            yield f"{told} ({'; '.join(hints)})" if hints else told


def _peers_too(
    reached: Sequence[Arm],
    others: Sequence[Arm],
    name: str,
    value: Any,
    settings: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    """How peers are given an option of their networks, where one is of the same network."""
    if not name.startswith(_NETWORK) or isinstance(value, list | dict):
        return
    networks = {settings[arm.label].get("network", {}).get("network") for arm in reached}
    option = name.removeprefix(_NETWORK)
    for arm in others:
        peers = settings[arm.label].get("peers", {}).get("peers", ())
        given = [f"{peer}.{option}={value}" for peer in peers if peer in networks]
        if given:
            yield f"its peers take it by {arm.label}:peers.peer_options=[{', '.join(given)}]"


def _peers_have(settings: Mapping[str, Any], name: str) -> bool:
    """Whether peers of an arm were given an option of networks on their own."""
    option = f".{name.removeprefix(_NETWORK)}="
    given = settings.get("peers", {}).get("peer_options", ())
    return name.startswith(_NETWORK) and any(option in each for each in given)


def _named(arms: Sequence[Arm]) -> str:
    *first, last = (arm.label for arm in arms)
    return f"{', '.join(first)} and {last}" if first else last
