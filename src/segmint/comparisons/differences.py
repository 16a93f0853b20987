"""What the arms of a comparison share, in words, and every option in which they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segmint.comparisons.arm import BLANK, Arm
from segmint.comparisons.table import Difference
from segmint.recipes import recipes

Settings = Mapping[str, Mapping[str, Any]]


def differences(arms: Sequence[Arm], settings: Settings) -> tuple[Difference, ...]:
    """The options in which arms that have them are not alike.

    Methods of different names have nothing in common that could differ, so only options of recipes
    that learn classes are compared, and those of arms with one name.

    Args:
        arms: of a comparison.
        settings: all options of each by its label.
    """
    families: dict[str, dict[str, Mapping[str, Any]]] = {}
    for arm in arms:
        if arm.name != BLANK:
            families.setdefault(_family(arm), {})[arm.label] = _flat(arm, settings[arm.label])
    return tuple(difference for family in families.values() for difference in _within(family))


def shared_words(arms: Sequence[Arm], settings: Settings) -> dict[str, str]:
    """What recipes that learn classes have in common, in words, by what it is about.

    Where they differ nothing is said; then :func:`differences` has it.
    """
    learning = [settings[arm.label] for arm in arms if _family(arm) == _LEARNING]
    if not learning:
        return {}
    words = {}
    for topic, tell in _TOPICS.items():
        told = {tell(each) for each in learning}
        if len(told) == 1:
            words[topic] = told.pop()
    return words


_LEARNING = "recipes that learn classes"
_NONE = "-"
_TELLING = ("network.network", "peers.peers", "mutual.teacher")
"""Options that say what an arm is also where others have no such option."""


def _family(arm: Arm) -> str:
    if arm.way == "recipe" and recipes.load(arm.name).takes_dataset:
        return _LEARNING
    return f"{arm.way} {arm.name}"


def _flat(arm: Arm, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values by ``section.option``, of a method by ``option``."""
    if arm.way == "method":
        return settings
    return {
        f"{section}.{name}": value
        for section, options in settings.items()
        for name, value in options.items()
    }


def _within(family: Mapping[str, Mapping[str, Any]]) -> list[Difference]:
    names = dict.fromkeys(name for options in family.values() for name in options)
    found = []
    for name in names:
        values = {label: _word(own[name]) for label, own in family.items() if name in own}
        lacking = len(values) < len(family) and name in _TELLING and set(values.values()) != {_NONE}
        if lacking or len(set(values.values())) > 1:
            found.append(Difference(option=name, values=values))
    return found


def _word(value: Any) -> str:
    if value is None:
        return _NONE
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or _NONE
    return str(value)


def _size(own: Mapping[str, Any]) -> str:
    transform = own["transform"]
    resized = f"shorter side {transform['resize']}" if transform["resize"] else "native size"
    return f"{resized}, crops of {transform['crop']}" if transform["crop"] else f"{resized}, whole"


def _augmentation(own: Mapping[str, Any]) -> str:
    return str(own["transform"]["augmentation"])


def _normalization(own: Mapping[str, Any]) -> str:
    return str(own["transform"]["normalization"])


def _optimizer(own: Mapping[str, Any]) -> str:
    return f"{own['optimizer']['optimizer']}, learning rate {own['optimizer']['learning_rate']:g}"


def _schedule(own: Mapping[str, Any]) -> str:
    return str(own["optimizer"]["schedule"])


def _batch(own: Mapping[str, Any]) -> str:
    return f"{own['training']['batch_size']} images"


def _length(own: Mapping[str, Any]) -> str:
    training = own["training"]
    most = f"{training['steps']} steps" if training["steps"] else f"{training['epochs']} epochs"
    if training["max_time"] is None:
        return most
    time = training["max_time"]
    shown = time if isinstance(time, str) else f"{time / 60:g} minutes"
    return f"{shown} of learning, or {most} where these end sooner"


_TOPICS = {
    "image size": _size,
    "augmentation": _augmentation,
    "normalization": _normalization,
    "optimizer": _optimizer,
    "schedule": _schedule,
    "batch": _batch,
    "budget": _length,
}
