from __future__ import annotations

import pytest

from segmint.cli import commands
from segmint.datasets import datasets
from segmint.errors import UsageError
from segmint.methods import methods
from segmint.networks import networks
from segmint.objectives import terms
from segmint.recipes import recipes
from segmint.registry import Registry

FAMILIES = (methods, recipes, terms, networks, datasets, commands)


def test_keeps_the_order_of_registration() -> None:
    registry = Registry("thing")
    registry.register("zebra", "json:loads", "z")
    registry.register("ant", "json:dumps", "a")
    assert list(registry) == ["zebra", "ant"]
    assert [entry.summary for entry in registry.entries()] == ["z", "a"]
    assert "ant" in registry
    assert "bee" not in registry


def test_loads_the_attribute_of_the_module() -> None:
    import json

    registry = Registry("thing")
    registry.register("reader", "json:loads", "reads")
    assert registry.load("reader") is json.loads


def test_does_not_import_before_loading() -> None:
    registry = Registry("thing")
    registry.register("absent", "no_such_module:thing", "never imported")
    assert registry.entry("absent").summary == "never imported"
    with pytest.raises(ModuleNotFoundError):
        registry.load("absent")


def test_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown method 'hybird': did you mean 'hybrid'\?"):
        methods.entry("hybird")


def test_a_name_is_registered_once() -> None:
    registry = Registry("thing")
    registry.register("one", "json:loads", "")
    with pytest.raises(ValueError, match="registered twice"):
        registry.register("one", "json:dumps", "")


@pytest.mark.parametrize(
    ("family", "name"),
    [(family, name) for family in FAMILIES for name in family],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
def test_every_entry_loads_and_says_what_it_is_for(family: Registry, name: str) -> None:
    entry = family.entry(name)
    assert entry.load() is not None
    assert entry.summary
    assert not entry.summary.endswith(".")
