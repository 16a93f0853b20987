from __future__ import annotations

from dataclasses import dataclass

import pytest

from segmint.errors import UsageError
from segmint.options import Options, option
from segmint.recipes.recipe import Recipe
from segmint.recipes.settings import assignments, plain, resolve


@dataclass(frozen=True, kw_only=True)
class Speed(Options):
    rate: float = option(1.0, low=0, aliases=("r",))
    kind: str = option("slow", choices=("slow", "fast"))


@dataclass(frozen=True, kw_only=True)
class Size(Options):
    sides: tuple[int, ...] = option((1, 2))


RECIPE = Recipe(
    sections={"speed": Speed, "size": Size},
    train=lambda plan: {},
    load=lambda *_, **__: None,
    defaults={"speed": {"rate": 2.0}},
    presets={"quick": {"speed": {"rate": 9.0, "kind": "fast"}}},
)


def test_what_goes_before_what() -> None:
    assert plain(resolve(RECIPE, {}))["speed"] == {"rate": 2.0, "kind": "slow"}
    quick = resolve(RECIPE, {"rate": 3}, preset="quick")
    assert plain(quick)["speed"] == {"rate": 3.0, "kind": "fast"}
    base = {"speed": {"rate": 5.0}, "sides": [4]}
    found = plain(resolve(RECIPE, {"speed.kind": "slow"}, preset="quick", base=base))
    assert found == {"speed": {"rate": 5.0, "kind": "slow"}, "size": {"sides": [4]}}


@pytest.mark.parametrize(
    "values", [{"rate": 7}, {"r": 7}, {"speed.rate": 7}, {"speed.r": 7}, {"speed": {"r": 7}}]
)
def test_every_way_to_name_an_option(values: dict[str, object]) -> None:
    assert plain(resolve(RECIPE, values))["speed"]["rate"] == 7.0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"rat": 1}, "unknown option 'rat': did you mean 'rate'?"),
        ({"sped.rate": 1}, "unknown section 'sped' in 'sped.rate': did you mean 'speed'?"),
        ({"speed.rats": 1}, "unknown option 'speed.rats': did you mean 'rate'?"),
        ({"speed": {"sides": [1]}}, "unknown option 'speed.sides'"),
        ({"rate": 1, "speed.r": 2}, "option speed.rate is given twice"),
        ({"rate": -1}, "--rate is -1.0, accepted is 0 or more"),
    ],
)
def test_refusals(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(RECIPE, values)
    assert sentence in str(caught.value)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown preset 'quik': did you mean 'quick'"):
        resolve(RECIPE, {}, preset="quik")


def test_plain_settings_resolve_to_the_same() -> None:
    settings = resolve(RECIPE, {"sides": (3, 4)}, preset="quick")
    assert resolve(RECIPE, {}, base=plain(settings)) == settings


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=1e-3", 0.001),
        ("a=fast", "fast"),
        ("a=none", "none"),
        ("a=null", None),
        ("a=[1, 2]", [1, 2]),
        ("a=0.5*bce + 0.5*rmi", "0.5*bce + 0.5*rmi"),
        ("a = true", True),
        ("a=2020-01-01", "2020-01-01"),
        ("a=2020-01-01 12:30:00", "2020-01-01 12:30:00"),
    ],
)
def test_assignments(text: str, value: object) -> None:
    assert assignments([text]) == {"a": value}


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["rate"], "--set is 'rate', accepted is NAME=VALUE"),
        (["=3"], "accepted is NAME=VALUE"),
        (["a=[1"], "cannot be read"),
        (["a=1", "a=2"], "--set gives a twice"),
        (["a=!!python/object/apply:os.system [ls]"], "cannot be read"),
        *[
            ([f"a={value}"], "cannot be read: write a number, a word or [a, list]")
            for value in (
                *("2020-13-45", "2020-02-30", "!!int x", "!!int ''", "!!float x", "!!float ''"),
                *("!!bool x", "!!timestamp x", "0x_", "0b_", "9" * 5000, "0x" + "f" * 5000),
                *("[" * 3000, "[0x" + "f" * 5000 + "]", "x" * 10_001),
            )
        ],
    ],
)
def test_what_is_no_assignment(texts: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        assignments(texts)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 200


def test_each_flag_says_what_it_takes() -> None:
    for flag, accepted in (
        ("--set", "accepted is NAME=VALUE, like optimizer.lr=1e-3"),
        ("--peer-options", "accepted is NAME.OPTION=VALUE, like unet.features=16"),
    ):
        with pytest.raises(UsageError) as caught:
            assignments(["unet.features16"], flag=flag)
        assert str(caught.value) == f"{flag} is 'unet.features16', {accepted}"
