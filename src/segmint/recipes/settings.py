"""The options of a recipe: its sections, brought together from defaults, presets and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from segmint.errors import UsageError, nearest, shortened
from segmint.options import Options
from segmint.recipes.recipe import Recipe

Settings = dict[str, Options]

_ACCEPTED = {
    "--set": "NAME=VALUE, like optimizer.lr=1e-3",
    "--dataset-options": "NAME=VALUE, like target=foreground",
    "--peer-options": "NAME.OPTION=VALUE, like unet.features=16",
}
"""What each flag takes that takes assignments."""
_LONGEST_VALUE = 10_000
"""Letters; so that lists in lists are read in no time."""
_REFUSALS = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RecursionError)
"""What the reader raises for a value that is not what it looks like, such as 2020-13-45."""


def resolve(
    recipe: Recipe,
    values: Mapping[str, Any],
    *,
    preset: str | None = None,
    base: Mapping[str, Any] | None = None,
) -> Settings:
    """The options of every section.

    Args:
        recipe: whose sections they are.
        values: what was given, each as ``{name: value}``, ``{"section.name": value}`` or
            ``{section: {name: value}}``.
        preset: a named set of values; what was given goes before it.
        base: further values, like those given; they go before the preset, and what was given
            before them.

    Raises:
        UsageError: for an unknown preset, section or name, a name given twice, or a value out of
            range.

    Example:
        >>> from segmint.recipes import recipes
        >>> settings = resolve(recipes.load("unet"), {"optimizer.lr": 0.01, "epochs": 3})
        >>> settings["optimizer"].learning_rate
        0.01
    """
    chosen: dict[str, dict[str, Any]] = {section: {} for section in recipe.sections}
    for layer in (recipe.defaults, _preset(recipe, preset)):
        for section, options in layer.items():
            chosen[section].update(options)
    for layer in (base or {}, values):
        seen: set[tuple[str, str]] = set()
        for section, name, value in _placed(recipe, layer):
            if (section, name) in seen:
                raise UsageError(f"option {section}.{name} is given twice: give it once")
            seen.add((section, name))
            chosen[section][name] = value
    return {
        section: options.from_mapping(chosen[section])
        for section, options in recipe.sections.items()
    }


def assignments(texts: Sequence[str], *, flag: str = "--set") -> dict[str, Any]:
    """Values from texts like ``optimizer.lr=1e-3``, as ``--set`` takes them.

    Args:
        texts: a name, ``=`` and a value each.
        flag: that gave them, for messages; one of those that take assignments.

    Raises:
        UsageError: for a text that is no assignment, or a name given twice.

    Example:
        >>> assignments(["optimizer.lr=1e-3", "network.name=unet"])
        {'optimizer.lr': 0.001, 'network.name': 'unet'}
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{flag} is {shortened(text)!r}, accepted is {_ACCEPTED[flag]}")
        if name.strip() in found:
            raise UsageError(f"{flag} gives {shortened(name.strip())} twice: give it once")
        found[name.strip()] = _parsed(value.strip(), text, flag)
    return found


def plain(settings: Mapping[str, Options]) -> dict[str, dict[str, Any]]:
    """The settings as plain data, for files."""
    return {
        section: {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in options.resolved().items()
        }
        for section, options in settings.items()
    }


def _preset(recipe: Recipe, name: str | None) -> Mapping[str, Mapping[str, Any]]:
    if name is None:
        return {}
    if name not in recipe.presets:
        known = nearest(name, recipe.presets) if recipe.presets else "this recipe has none"
        raise UsageError(f"unknown preset {name!r}: {known}")
    return recipe.presets[name]


def _placed(recipe: Recipe, values: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Section, name of the field, and value of everything given."""
    for given, value in values.items():
        section, dot, name = given.partition(".")
        if isinstance(value, Mapping) and given in recipe.sections:
            for inner, each in value.items():
                yield given, _field(recipe, given, str(inner)), each
        elif dot:
            if section not in recipe.sections:
                raise UsageError(
                    f"unknown section {section!r} in {given!r}: {nearest(section, recipe.sections)}"
                )
            yield section, _field(recipe, section, name), value
        else:
            yield *_owner(recipe, given), value


def _field(recipe: Recipe, section: str, name: str) -> str:
    names = recipe.sections[section].names()
    if name == "name" and section in names:
        return names[section]  # network.name is its option network
    if name not in names:
        raise UsageError(f"unknown option {f'{section}.{name}'!r}: {nearest(name, names)}")
    return names[name]


def _owner(recipe: Recipe, name: str) -> tuple[str, str]:
    owners = {
        given: (section, field)
        for section, options in recipe.sections.items()
        for given, field in options.names().items()
    }
    if name not in owners:
        raise UsageError(f"unknown option {name!r}: {nearest(name, owners)}")
    return owners[name]


def _parsed(value: str, text: str, flag: str) -> Any:
    import yaml

    unreadable = (
        f"the value in {flag} {shortened(text)!r} cannot be read: write a number, a word or "
        "[a, list]"
    )
    if len(value) > _LONGEST_VALUE:
        raise UsageError(unreadable)
    try:
        parsed = yaml.safe_load(value)
        repr(parsed)  # numbers of too many digits can be read, but never be shown
    except (yaml.YAMLError, *_REFUSALS) as error:
        raise UsageError(unreadable) from error
    if isinstance(parsed, date):
        return value
    if parsed == value:  # a word without quotes
        try:
            return float(value)  # YAML 1.1 takes 1e-3 for a word
        except ValueError:
            return parsed
    return parsed
