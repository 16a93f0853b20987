from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import numpy as np
import pytest

from segmint.cli.parameters import field_help
from segmint.errors import UsageError
from segmint.methods import methods
from segmint.options import Options, option
from segmint.recipes import recipes

OWNERS = [
    *(methods.load(name).options for name in methods),
    *(owner for name in recipes for owner in recipes.load(name).sections.values()),
]


@dataclass(frozen=True, kw_only=True)
class Baking(Options):
    """Options to test with."""

    minutes: int = option(30, low=1, high=90, aliases=("n_minutes", "t"))
    heat: float = option(180.0, low=0)
    depth: float = option(0.0, high=5)
    shape: str = option("round", choices=("round", "square"))
    guests: int | None = option(None, low=1)
    layers: int | str = option(2, low=1, high=9, words=("auto",))
    spices: tuple[str, ...] = option(())


def test_defaults() -> None:
    assert Baking().resolved() == {
        "minutes": 30,
        "heat": 180.0,
        "depth": 0.0,
        "shape": "round",
        "guests": None,
        "layers": 2,
        "spices": (),
    }


def test_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Baking().minutes = 3  # type: ignore[misc]


@pytest.mark.parametrize("value", [1, 90])
def test_ends_of_the_range_are_accepted(value: int) -> None:
    assert Baking(minutes=value).minutes == value


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"minutes": 0}, "--minutes is 0, accepted is 1 to 90"),
        ({"minutes": 91}, "--minutes is 91, accepted is 1 to 90"),
        ({"heat": -0.5}, "--heat is -0.5, accepted is 0 or more"),
        ({"depth": 6.0}, "--depth is 6.0, accepted is 5 or less"),
        ({"heat": float("nan")}, "--heat is nan: a finite number is needed"),
        ({"heat": float("inf")}, "--heat is inf: a finite number is needed"),
        ({"guests": 0}, "--guests is 0, accepted is 1 or more"),
        ({"layers": 10}, "--layers is 10, accepted is 1 to 9"),
        ({"layers": "many"}, "--layers is 'many', accepted is a whole number (1 to 9) or auto"),
        ({"spices": "salt"}, "--spices is 'salt', accepted is a list"),
        ({"spices": ["salt", 3]}, "--spices is 3, accepted is str"),
        ({"shape": "sqare"}, "--shape is 'sqare': did you mean 'square'"),
    ],
)
def test_value_that_does_not_fit(values: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Baking.from_mapping(values)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "values", [{"minutes": "ten"}, {"heat": "hot"}, {"minutes": 2.5}, {"minutes": None}]
)
def test_value_of_another_type(values: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(values))):
        Baking.from_mapping(values)


@pytest.mark.parametrize("values", [{"minutes": np.int64(91)}, {"depth": np.float32(6)}])
def test_range_holds_for_numbers_of_numpy(values: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="accepted is"):
        Baking.from_mapping(values)


def test_numbers_of_numpy_are_plain_in_the_record() -> None:
    options = Baking.from_mapping({"minutes": np.int64(5), "heat": np.float32(0.5)})
    assert json.dumps(options.resolved()) == json.dumps(Baking(minutes=5, heat=0.5).resolved())


def test_whole_number_is_a_float() -> None:
    assert Baking.from_mapping({"heat": 200}).heat == 200


@pytest.mark.parametrize("name", ["minutes", "n_minutes", "t"])
def test_aliases(name: str) -> None:
    assert Baking.from_mapping({name: 5}).minutes == 5


def test_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown option 'minuts': did you mean 'minutes'\?"):
        Baking.from_mapping({"minuts": 5})


def test_name_given_twice() -> None:
    with pytest.raises(UsageError, match="'minutes' is given twice"):
        Baking.from_mapping({"minutes": 5, "t": 6})


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
class TestRegisteredOptions:
    def test_every_name_means_one_field(self, owner: type[Options]) -> None:
        names = [
            name
            for field in dataclasses.fields(owner)
            for name in (field.name, *field.metadata["aliases"])
        ]
        assert len(names) == len(set(names))

    def test_every_field_has_help(self, owner: type[Options]) -> None:
        helps = field_help(owner)
        for field in dataclasses.fields(owner):
            assert helps[field.name].endswith("."), field.name

    def test_defaults_are_accepted(self, owner: type[Options]) -> None:
        assert owner.from_mapping(owner().resolved()) == owner()
