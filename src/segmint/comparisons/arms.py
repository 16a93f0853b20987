"""Arms as the command line names them: ``unet``, ``wide=unet``, ``many=recipe:deepg``, a group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from segmint.comparisons.arm import BLANK, Arm
from segmint.comparisons.groups import GROUPS
from segmint.errors import UsageError, nearest, shortened
from segmint.methods import methods
from segmint.recipes import recipes

RECIPE = "recipe:"
"""Stands before the name of a recipe that is also the name of a method."""

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")


def parse_arms(texts: Sequence[str | Arm], root: Path) -> tuple[Arm, ...]:
    """The arms of a comparison.

    Args:
        texts: ``NAME`` of a recipe, a method or ``blank``, or ``LABEL=NAME``, or a group. A name of
            both a recipe and a method means the method; ``recipe:NAME`` means the recipe.
        root: of the data set, where groups find what they need.

    Raises:
        UsageError: for an unknown name, a label that is no name for a folder, or one given twice.
        InputError: when a group needs a file that is not there.

    Example:
        >>> [arm.label for arm in parse_arms(["study", "wide=unet"], Path())]
        ['unet', 'unet-rmi', 'mutual', 'wide']
        >>> [arm.way for arm in parse_arms(["deepg", "many=recipe:deepg"], Path())]
        ['method', 'recipe']
    """
    arms = [arm for text in texts for arm in _arms_of(text, root)]
    if not arms:
        raise UsageError(f"no arm was named: give recipes, methods or groups ({', '.join(GROUPS)})")
    for index, arm in enumerate(arms):
        _check_label(arm.label)
        if arm.label.casefold() in (other.label.casefold() for other in arms[:index]):
            raise UsageError(
                f"two arms are called {arm.label!r}: name one of them, LABEL={arm.name}"
            )
    return tuple(arms)


def is_label_free(arm: Arm) -> bool:
    """Whether it learns components and no classes."""
    return arm.way == "method" or not recipes.load(arm.name).takes_dataset


def _arms_of(text: str | Arm, root: Path) -> Iterable[Arm]:
    if isinstance(text, Arm):
        return [text]
    label, equals, name = text.partition("=")
    if not equals:
        if text in GROUPS:
            return GROUPS[text](root)
        label, name = text.removeprefix(RECIPE), text
    elif name in GROUPS:
        raise UsageError(f"{text!r} gives one label to the arms of the group {name}: leave it out")
    return [replace(_named(name), label=label)]


def _named(name: str) -> Arm:
    plain = name.removeprefix(RECIPE)
    if plain == name and (name in methods or name == BLANK):
        return Arm(label=name, way="method", name=name)
    if plain in recipes:
        return Arm(label=plain, way="recipe", name=plain)
    shown = shortened(plain)
    if plain != name:
        raise UsageError(f"unknown recipe {shown!r}: {nearest(shown, recipes)}")
    known = {*methods, *recipes, *GROUPS, BLANK}
    raise UsageError(f"unknown recipe or method {shown!r}: {nearest(shown, known)}")


def _check_label(label: str) -> None:
    if not _LABEL.fullmatch(label):
        raise UsageError(
            f"the label {shortened(label)!r} cannot name a folder, accepted are up to 64 letters, "
            "digits and . _ + - that begin with a letter or digit: choose another"
        )
