from __future__ import annotations

import asyncio
import dataclasses
from functools import cache
from typing import Any

import gradio as gr
import pytest

from segmint.app.page.controls import Controls, label_of, preset_choices
from segmint.app.visitor_options import offered_fields
from segmint.cli import run as run_command
from segmint.cli.parameters import field_help
from segmint.cli.predict_options import PredictOptions
from segmint.errors import UsageError
from segmint.methods import methods
from segmint.methods.method import Method
from segmint.options import Options

PRESETS = [(name, preset) for name in methods for preset in (None, *methods.load(name).presets)]


def made(options: type[Options], **how: Any) -> Controls:
    """Controls on a page; outside a running loop Gradio would make one and leave it open."""

    async def make() -> Controls:
        with gr.Blocks(analytics_enabled=False):
            return Controls(options, **how)

    return asyncio.run(make())


@cache
def controls_of(name: str) -> Controls:
    return made(methods.load(name).options, method=name)


def given(name: str, **entered: Any) -> dict[str, Any]:
    """What a visitor gets who enters these values and leaves the others alone."""
    controls = controls_of(name)
    values = dict(zip(controls.named, controls.shown(), strict=True))
    return controls.given(list({**values, **entered}.values()))


@pytest.mark.parametrize("name", list(methods))
def test_each_offered_field_has_a_control_that_explains_it(name: str) -> None:
    options = methods.load(name).options
    controls, helps = controls_of(name), field_help(options)
    assert list(controls.named) == [field.name for field in offered_fields(options)]
    assert controls.components == list(controls.named.values())
    for field, component in controls.named.items():
        assert component.elem_id == f"option-{name}-{field}"
        assert component.label == label_of(field)
        assert component.info.startswith(helps[field])
        assert component.interactive


def test_no_path_is_offered() -> None:
    assert not {"mu_data", "warm_start"} & set(controls_of("deepg").named)
    controls = made(PredictOptions, method="run")
    assert not {"region", "channels", "also"} & set(controls.named)


@pytest.mark.parametrize(
    ("method", "field", "kind"),
    [
        ("deepg", "full_frame", gr.Checkbox),
        ("hybrid", "fineness", gr.Slider),
        ("clustering", "blocks", gr.Slider),
        ("clustering", "max_components", gr.Number),  # too many for a slider
        ("hybrid", "components", gr.Textbox),  # may be left empty
        ("felzenszwalb", "scale", gr.Number),
        ("deepg", "axis", gr.Radio),
        ("em-gmm", "covariance", gr.Dropdown),
        ("em-gmm", "components", gr.Textbox),
    ],
)
def test_the_type_decides_the_control(method: str, field: str, kind: type) -> None:
    assert type(controls_of(method).named[field]) is kind


def test_ranges_and_choices_are_those_of_the_field() -> None:
    blocks = controls_of("clustering").named["blocks"]
    assert (blocks.minimum, blocks.maximum, blocks.step, blocks.value) == (1, 16, 1, 2)
    fineness = controls_of("hybrid").named["fineness"]
    assert (fineness.minimum, fineness.maximum, fineness.value) == (0, 1, 0.5)
    assert 0 < fineness.step <= 0.01
    assert controls_of("felzenszwalb").named["min_size"].info.endswith("(1 or more)")
    assert controls_of("clustering").named["max_components"].info.endswith("(2 to 4096)")
    axis = controls_of("deepg").named["axis"]
    assert [value for _, value in axis.choices] == ["slices", "rows", "columns"]


def test_fields_are_left_out_and_divided() -> None:
    options = methods.load("hybrid").options
    seen = made(options, method="hybrid", leave_out={"working_pixels"})
    folded = made(options, method="hybrid", leave_out={"components", "fineness"})
    assert (list(seen.named), list(folded.named)) == (
        ["components", "fineness"],
        ["working_pixels"],
    )


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_nothing_is_given_where_nothing_is_entered(name: str, preset: str | None) -> None:
    held = {} if preset is None else methods.load(name).presets[preset]
    controls = controls_of(name)
    shown = controls.shown(held)
    assert controls.given(shown, preset=held) == {}
    empty = [None if isinstance(value, int | float) else "" for value in shown]
    assert controls.given(empty, preset=held) == {}


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_what_is_given_is_what_is_shown(name: str, preset: str | None) -> None:
    """The defaults entered by hand over a preset are the defaults, not the preset."""
    method: Method = methods.load(name)
    controls = controls_of(name)
    held = {} if preset is None else method.presets[preset]
    resolved = method.resolve(preset, controls.given(controls.shown(), preset=held))
    assert resolved == method.options()


def test_defaults_can_be_others() -> None:
    options = methods.load("kmeans").options
    controls = made(options, method="kmeans", defaults={"components": 3})
    assert controls.named["components"].value == 3
    assert controls.given(controls.shown()) == {}
    entered = dict(zip(controls.named, controls.shown(), strict=True)) | {"components": 8}
    assert controls.given(list(entered.values())) == {"components": 8}


@pytest.mark.parametrize(
    ("method", "field", "entered", "expected"),
    [
        ("hybrid", "components", 5, 5),
        ("hybrid", "components", 5.0, 5),
        ("hybrid", "fineness", 1, 1.0),
        ("em-gmm", "components", "auto", "auto"),
        ("em-gmm", "components", " 3 ", 3),
        ("deepg", "full_frame", True, True),
        ("deepg", "axis", "rows", "rows"),
        ("clustering", "learning_rate", 0.05, 0.05),
    ],
)
def test_values_are_of_the_type_of_the_field(
    method: str, field: str, entered: Any, expected: Any
) -> None:
    found = given(method, **{field: entered})
    assert found == {field: expected}
    assert type(found[field]) is type(expected)


def test_lists_are_words() -> None:
    controls = made(PredictOptions, method="run")
    assert isinstance(controls.named["tta"], gr.CheckboxGroup)
    assert controls.named["tta_scales"].value == "0.75 1.25"
    shown = dict(zip(controls.named, controls.shown(), strict=True))
    assert controls.given(list(shown.values())) == {}
    entered = {**shown, "tta": ["flips", "scales"], "tta_scales": "0.5 2", "uncertainty": True}
    assert controls.given(list(entered.values())) == {
        "tta": ("flips", "scales"),
        "tta_scales": (0.5, 2.0),
        "uncertainty": True,
    }


@pytest.mark.parametrize(
    ("method", "field", "entered"),
    [
        ("slic", "segments", 1.5),
        ("slic", "segments", 0),
        ("slic", "segments", 2**40),
        ("slic", "sigma", -1.0),
        ("slic", "sigma", float("nan")),
        ("slic", "sigma", "wide"),
        ("clustering", "momentum", 1.0),
        ("em-gmm", "components", "many"),
        ("em-gmm", "covariance", "fulll"),
        ("clustering", "components", 101),
        ("em-gmm", "min_components", 9),
    ],
)
def test_errors_are_those_of_the_command_line(
    method: str, field: str, entered: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError) as raised:
        given(method, **{field: entered})
    option = f"--{field.replace('_', '-')}"
    assert run_command(["segment", "a.png", "--method", method, option, str(entered)]) == 2
    assert capsys.readouterr().err.partition("; 'segmint")[0].strip() == f"segmint: {raised.value}"


def test_each_list_entry_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    controls = made(PredictOptions, method="run")
    shown = dict(zip(controls.named, controls.shown(), strict=True))
    for field, entered in (("tta_scales", "1 big"), ("tta_scales", "9"), ("tta", ["flip"])):
        with pytest.raises(UsageError) as raised:
            controls.given(list({**shown, field: entered}.values()))
        words = entered.split() if isinstance(entered, str) else entered
        assert run_command(["predict", "r", "a.png", f"--{field.replace('_', '-')}", *words]) == 2
        told = capsys.readouterr().err.partition("; 'segmint")[0].strip()
        assert told == f"segmint: {raised.value}"


@pytest.mark.parametrize("name", list(methods))
@pytest.mark.parametrize("sent", [True, "x", [1], {"a": 1}, 1e308, -1, "1" * 5000])
def test_whatever_is_sent_is_refused_in_a_sentence(name: str, sent: Any) -> None:
    """The browser is not the only one that can send."""
    controls = controls_of(name)
    for index in range(len(controls.components)):
        values = controls.shown()
        values[index] = sent
        try:
            found = controls.given(values)
        except UsageError as error:
            assert "\n" not in str(error)
        else:
            assert set(found) <= {list(controls.named)[index]}


def test_presets_are_those_of_the_method() -> None:
    assert preset_choices("hybrid") == []
    assert [value for _, value in preset_choices("clustering")] == ["", "kim2020", "seed004"]


def test_what_is_offered_is_a_part_of_the_fields() -> None:
    for name in methods:
        options = methods.load(name).options
        offered = {field.name for field in offered_fields(options)}
        assert offered <= {field.name for field in dataclasses.fields(options)}
