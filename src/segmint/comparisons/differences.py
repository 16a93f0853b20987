"""What the arms of a comparison share, in words, and every option in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from segmint.comparisons.arm import BLANK, Arm
from segmint.comparisons.arms import is_label_free
from segmint.comparisons.table import Difference
from segmint.methods import methods
from segmint.methods.method import Method
from segmint.recipes import recipes
from segmint.recipes.recipe import counted_images
from segmint.recipes.settings import plain, resolve

Settings = Mapping[str, Mapping[str, Any]]


def differences(arms: Sequence[Arm], settings: Settings) -> tuple[Difference, ...]:
    """The options in which arms are not alike.

    Listed is an option that arms which have it give different values, and one that not all of them
    have and some set to something else than the default of its recipe. Methods of different names
    have nothing in common that could differ, so only recipes that learn classes are compared, and
    arms with one name; what is listed is told of all other arms that find components, too.

    Args:
        arms: of a comparison.
        settings: all options of each by its label.
    """
    able = [arm for arm in arms if arm.name != BLANK]
    words = {arm.label: _words(arm, settings[arm.label]) for arm in able}
    usual = {arm.label: _words(arm, _defaults(arm)) for arm in able}
    families: dict[str, list[str]] = {}
    for arm in able:
        families.setdefault(_family(arm), []).append(arm.label)
    found = dict.fromkeys(
        name
        for family in families.values()
        for name in dict.fromkeys(name for label in family for name in words[label])
        if _differs(name, family, words, usual)
    )
    return tuple(
        Difference(
            option=name,
            values={label: own[name] for label, own in words.items() if name in own},
        )
        for name in found
    )


def shared_words(arms: Sequence[Arm], settings: Settings) -> dict[str, str]:
    """What recipes that learn classes have in common, in words, by what it is about.

    Where they differ nothing is said; then :func:`differences` has it. Of arms that find components
    it says what each of them looks at before it answers.
    """
    learning = [settings[arm.label] for arm in arms if _family(arm) == _LEARNING]
    if not learning:
        return {"learning": "; ".join(_component_words(arms, settings))}
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
    return arm.name if is_label_free(arm) else _LEARNING


def _component_words(arms: Sequence[Arm], settings: Settings) -> Iterator[str]:
    """Which arms fit an image by itself, and which learned from others, for how long."""
    if any(arm.way == "method" for arm in arms):
        yield "methods fit each image by itself, without its truth"
    for arm in arms:
        if arm.way == "recipe":
            words = _words(arm, settings[arm.label])
            time = settings[arm.label]["training"]["max_time"]
            epochs = int(words.get("max_epochs") or words["epochs"])
            yield f"{arm.label} learned from the images of train, {_most(epochs, 'epochs', time)}"


def _words(arm: Arm, settings: Mapping[str, Any]) -> dict[str, str]:
    """Values by ``section.option``, of what finds components by ``option``, as methods call it."""
    if arm.way == "method":
        return {name: _word(value) for name, value in settings.items()}
    return {
        name if is_label_free(arm) else f"{section}.{name}": _word(value)
        for section, options in settings.items()
        for name, value in options.items()
    }


def _defaults(arm: Arm) -> Mapping[str, Any]:
    if arm.way == "method":
        method: Method = methods.load(arm.name)
        return method.resolve(None, {}).resolved()
    return plain(resolve(recipes.load(arm.name), {}))


def _differs(
    name: str,
    family: Sequence[str],
    words: Mapping[str, Mapping[str, str]],
    usual: Mapping[str, Mapping[str, str]],
) -> bool:
    """Whether an option belongs into the list, for the arms of one family."""
    values = {label: words[label][name] for label in family if name in words[label]}
    if len(set(values.values())) > 1:
        return True
    if len(values) == len(family):
        return False
    telling = name in _TELLING and set(values.values()) != {_NONE}
    return telling or any(value != usual[label].get(name) for label, value in values.items())


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
    return counted_images(own["training"]["batch_size"])


def _length(own: Mapping[str, Any]) -> str:
    training = own["training"]
    unit = "steps" if training["steps"] else "epochs"
    return _most(training[unit], unit, training["max_time"])


def _most(count: int, unit: str, time: Any) -> str:
    """So many steps or epochs, or the time that ends learning before."""
    most = f"{count} {unit if count != 1 else unit.removesuffix('s')}"
    if time is None:
        return most
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
