"""The options of every arm: what recipes share, and what is each arm's own.

Recipes that learn from masks take the sections of data, transform, optimizer and training from
the first of them, so that they differ in what they are about: network, objective, peers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segmint.comparisons.arm import BLANK, Arm
from segmint.comparisons.assigned import Assigned
from segmint.comparisons.budget import Budget
from segmint.errors import UsageError, nearest_name, shortened
from segmint.methods import methods
from segmint.methods.method import Method
from segmint.options import Options
from segmint.recipes import recipes
from segmint.recipes.recipe import Recipe
from segmint.recipes.settings import plain, resolve

SHARED_SECTIONS = ("data", "transform", "optimizer", "training")

_DATA = "data"

Values = dict[str, dict[str, Any]]
Settings = Mapping[str, Mapping[str, Any]]


def settle_arms(
    arms: Sequence[Arm], assigned: Assigned, budget: Budget, data: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """All options of every arm by its label.

    Args:
        arms: of the comparison.
        assigned: what was given.
        budget: of every cell that learns.
        data: values of the section ``data`` that the comparison decides.

    Raises:
        UsageError: for an option that no arm has, a value out of range, or a budget that an arm
            cannot keep.
    """
    shared = {name: value for name, value in assigned.shared.items() if not _of_data(name)}
    _check_shared(shared, arms)
    training = budget.training(shared)
    first = next((arm for arm in arms if _learns_classes(arm)), None)
    common = None if first is None else _common(first, shared, {"data": data, "training": training})
    return {arm.label: _settled(arm, assigned, shared, common, training) for arm in arms}


def _settled(
    arm: Arm,
    assigned: Assigned,
    shared: Mapping[str, Any],
    common: Values | None,
    training: Mapping[str, Any],
) -> Mapping[str, Any]:
    preset = assigned.presets.get(arm.label, arm.preset)
    own = {**arm.values, **assigned.own.get(arm.label, {})}
    if arm.name == BLANK:
        if own or preset:
            raise UsageError(f"{arm.label} is blank, which has no options: leave them out")
        return {}
    if arm.way == "method":
        return _method_settings(arm, preset, {**_taken(arm, shared), **own})
    recipe: Recipe = recipes.load(arm.name)
    grouped = {name: value for name, value in arm.values.items() if name in recipe.sections}
    layers = [common or {}] if recipe.takes_dataset else [_budget(arm, training)]
    layers += [_taken_by_section(arm, shared), _preset(recipe, preset), grouped]
    single = {name: value for name, value in own.items() if name not in grouped}
    settled = plain(resolve(recipe, single, base=_merged(layers)))
    if common is not None and settled.get(_DATA, common[_DATA]) != common[_DATA]:
        raise UsageError(
            f"an option of the section data is given to {arm.label} alone, and all arms share "
            "their data: give it without the label"
        )
    return settled


def _common(first: Arm, shared: Mapping[str, Any], decided: Settings) -> Values:
    """The sections that all recipes with masks share, as the first of them has them."""
    recipe: Recipe = recipes.load(first.name)
    base = _merged([_taken_by_section(first, shared), decided])
    resolved = plain(resolve(recipe, {}, base=base))
    return {section: dict(resolved[section]) for section in SHARED_SECTIONS}


def _method_settings(arm: Arm, preset: str | None, values: Mapping[str, Any]) -> Mapping[str, Any]:
    method: Method = methods.load(arm.name)
    return method.resolve(preset, values).resolved()


def _preset(recipe: Recipe, name: str | None) -> Settings:
    if name is None:
        return {}
    resolve(recipe, {}, preset=name)  # refuses an unknown one
    return recipe.presets[name]


def _budget(arm: Arm, training: Mapping[str, Any]) -> Settings:
    """The budget in the words of a recipe that learns without masks."""
    recipe: Recipe = recipes.load(arm.name)
    if "steps" in training:
        raise UsageError(
            f"{arm.label} learns by epochs, not by steps: give --budget-minutes or --epochs"
        )
    if "epochs" not in training:
        return {"training": training}
    section = next(name for name, kind in recipe.sections.items() if "epochs" in kind.names())
    return {section: {recipe.sections[section].names()["epochs"]: training["epochs"]}}


def _taken(arm: Arm, shared: Mapping[str, Any]) -> dict[str, Any]:
    """What a method takes of the options for all, those apart that a group gave it."""
    names = methods.load(arm.name).options.names()
    settled = {names.get(name) for name in arm.values}
    return {
        name: value
        for name, value in shared.items()
        if name in names and names[name] not in settled
    }


def _taken_by_section(arm: Arm, shared: Mapping[str, Any]) -> Values:
    """What a recipe takes of the options for all, by section and name of the field."""
    recipe: Recipe = recipes.load(arm.name)
    found: Values = {}
    for given, value in shared.items():
        section, _, name = given.partition(".")
        options = recipe.sections.get(section)
        field = None if options is None else _field(options, name)
        if field is not None:
            found.setdefault(section, {})[field] = value
    return found


def _field(options: type[Options], name: str) -> str | None:
    names = options.names()
    return names.get("network") if name == "name" and "network" in names else names.get(name)


def _check_shared(shared: Mapping[str, Any], arms: Sequence[Arm]) -> None:
    """Refuse an option that no arm takes."""
    for name in shared:
        if not any(takes(arm, name) for arm in arms):
            shown = shortened(name)
            close = nearest_name(shown, {known for arm in arms for known in _names(arm)})
            advice = f"did you mean {close!r}?" if close else "leave it out"
            raise UsageError(f"no arm takes the option {shown!r}: {advice}")


def takes(arm: Arm, name: str) -> bool:
    """Whether an option that is given for all reaches an arm."""
    if arm.name == BLANK:
        return False
    if arm.way == "method":
        return bool(_taken(arm, {name: None}))
    return bool(_taken_by_section(arm, {name: None}))


def _names(arm: Arm) -> list[str]:
    if arm.name == BLANK:
        return []
    if arm.way == "method":
        return [*methods.load(arm.name).options.names()]
    sections = recipes.load(arm.name).sections
    return [f"{section}.{name}" for section, kind in sections.items() for name in kind.names()]


def _learns_classes(arm: Arm) -> bool:
    return arm.way == "recipe" and bool(recipes.load(arm.name).takes_dataset)


def _of_data(name: str) -> bool:
    return name.partition(".")[0] == _DATA


def _merged(layers: Sequence[Settings]) -> Values:
    """Values by section, of which later layers count more."""
    merged: Values = {}
    for layer in layers:
        for section, options in layer.items():
            merged.setdefault(section, {}).update(options)
    return merged
