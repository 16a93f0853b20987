"""Form controls made from an option dataclass, so that the page offers what the commands do.

A field's type, range and choices decide its control, the string under it explains it, and what a
visitor enters is checked by the dataclass itself, in the words of the command line.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import gradio as gr

from segmint.app.visitor_options import offered_fields
from segmint.cli.parameters import field_help
from segmint.errors import UsageError
from segmint.methods import methods
from segmint.methods.method import Method
from segmint.options import LARGEST_WHOLE_NUMBER, Options

_MOST_STEPS_OF_A_SLIDER = 1000
_MOST_RADIO_BUTTONS = 3
_MOST_LETTERS = 200


def preset_choices(method: str) -> list[tuple[str, str]]:
    """Labels and values of the presets of a method, none of them first; [] where it has none.

    Example:
        >>> preset_choices("clustering")
        [('defaults', ''), ('kim2020', 'kim2020'), ('seed004', 'seed004')]
    """
    chosen: Method = methods.load(method)
    named = [(name, name) for name in chosen.presets]
    return [("defaults", ""), *named] if named else []


class Controls:
    """Controls for the fields of an option dataclass; made inside ``gr.Blocks``.

    Args:
        options: the dataclass; of its fields those that visitors may set are offered.
        method: whose options they are; part of the ids of the controls.
        leave_out: names of fields that get no control here.
        defaults: what holds where nothing is given, in place of the defaults of the dataclass.
    """

    def __init__(
        self,
        options: type[Options],
        *,
        method: str,
        leave_out: Collection[str] = (),
        defaults: Mapping[str, Any] = types.MappingProxyType({}),
    ) -> None:
        self._options = options
        self._kinds = typing.get_type_hints(options)
        self._defaults = dict(defaults)
        self._fields = [each for each in offered_fields(options) if each.name not in leave_out]
        helps = field_help(options)
        self.named: dict[str, Any] = {
            field.name: self._component(field, method, helps[field.name]) for field in self._fields
        }
        """The components by the names of their fields."""

    @property
    def components(self) -> list[Any]:
        """The components in the order of the fields, the order of the values."""
        return list(self.named.values())

    def given(
        self, values: Sequence[Any], *, preset: Mapping[str, Any] = types.MappingProxyType({})
    ) -> dict[str, Any]:
        """What a visitor asked for: values that differ from those that hold otherwise.

        Args:
            values: of the components, in their order.
            preset: what holds in place of the defaults, as ``Method.presets`` has it.

        Returns:
            Names and checked values, for ``segmint.segment(..., **given)``.

        Raises:
            UsageError: for a value out of range or of another kind, as on the command line.
        """
        held = {**self._defaults, **preset}
        entered = {
            field.name: _entered(field, self._kinds[field.name], value)
            for field, value in zip(self._fields, values, strict=True)
        }
        entered = {name: value for name, value in entered.items() if value is not None}
        checked = self._options.from_mapping({**held, **entered})
        plain = {field.name: self._held(field, held) for field in self._fields}
        return {
            name: getattr(checked, name)
            for name in entered
            if getattr(checked, name) != plain[name]
        }

    def shown(self, preset: Mapping[str, Any] = types.MappingProxyType({})) -> list[Any]:
        """Values for the components where nothing is given, to set them when a preset is chosen."""
        held = {**self._defaults, **preset}
        return [
            _shown(self._kinds[field.name], self._held(field, held), field)
            for field in self._fields
        ]

    def _held(self, field: dataclasses.Field[Any], held: Mapping[str, Any]) -> Any:
        return held.get(field.name, field.default)

    def _component(self, field: dataclasses.Field[Any], method: str, text: str) -> Any:
        kind = self._kinds[field.name]
        common = {
            "value": _shown(kind, self._held(field, self._defaults), field),
            "label": label_of(field.name),
            "info": text,
            "elem_id": f"option-{method}-{field.name}",
            "interactive": True,
        }
        if kind is bool:
            return gr.Checkbox(**common)
        if field.metadata.get("choices"):
            return _choice(kind, field, common)
        if _is_number(kind):
            return _number(kind, field, common)
        return gr.Textbox(**common, max_lines=1, max_length=_MOST_LETTERS)


def label_of(name: str) -> str:
    """The name of a field for readers: ``min_components`` is "Min components"."""
    words = name.replace("_", " ")
    return words[0].upper() + words[1:]


def _choice(kind: Any, field: dataclasses.Field[Any], common: Mapping[str, Any]) -> Any:
    choices = list(field.metadata["choices"])
    if _is_several(kind):
        return gr.CheckboxGroup(choices, **common)
    if len(choices) <= _MOST_RADIO_BUTTONS:
        return gr.Radio(choices, **common)
    return gr.Dropdown(choices, **common)


def _number(kind: Any, field: dataclasses.Field[Any], common: Mapping[str, Any]) -> Any:
    low, high = field.metadata.get("low"), field.metadata.get("high")
    step = 1 if float not in _kinds_of(kind) else _step(low, high, field.default)
    steps = math.inf if low is None or high is None else (high - low) / step
    if steps <= _MOST_STEPS_OF_A_SLIDER and common["value"] is not None:
        return gr.Slider(low, high, step=step, **common)
    # Its own minimum would refuse in other words than the dataclass, so the range is told instead.
    info = f"{common['info']} ({_range(low, high)})" if low is not None else common["info"]
    told = {**common, "info": info}
    if common["value"] is None:  # a number field would show and send 0 where nothing is given
        return gr.Textbox(**told, placeholder="not given", max_lines=1, max_length=_MOST_LETTERS)
    return gr.Number(**told, step=step)


def _step(low: float | None, high: float | None, default: Any) -> float:
    """A power of ten that is fine enough to set the number."""
    if low is not None and high is not None:
        return float(10.0 ** (math.ceil(math.log10(high - low)) - 2))
    if not default:
        return 0.1
    return float(10.0 ** (math.floor(math.log10(abs(default))) - 1))


def _range(low: float, high: float | None) -> str:
    has_bound = high is not None and high < LARGEST_WHOLE_NUMBER
    return f"{low:g} to {high:g}" if has_bound else f"{low:g} or more"


def _shown(kind: Any, value: Any, field: dataclasses.Field[Any]) -> Any:
    """A value as its component takes it; numbers in text as they were given."""
    if _is_several(kind):
        return list(value) if field.metadata.get("choices") else " ".join(map(str, value))
    if _is_text(kind, field):
        return "" if value is None else str(value)
    return value


def _entered(field: dataclasses.Field[Any], kind: Any, value: Any) -> Any:
    """A value of a component as the dataclass takes it; None where nothing was entered."""
    if isinstance(value, str):
        value = value.strip()
    if value is None or value in ("", []):
        return None
    if _is_several(kind):
        words = value.split() if isinstance(value, str) else value
        return tuple(_one(field, typing.get_args(kind)[0], word) for word in words)
    return _one(field, kind, value)


def _one(field: dataclasses.Field[Any], kind: Any, value: Any) -> Any:
    kinds = _kinds_of(kind)
    option = f"--{field.name.replace('_', '-')}"
    if int in kinds and not isinstance(value, bool):
        whole = _whole(value)
        if whole is None and str not in kinds:
            raise UsageError(f"{option} is {str(value)!r}, accepted is a whole number")
        return value if whole is None else whole
    if float in kinds and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise UsageError(f"{option} is {value!r}, accepted is a number") from None
    return value


def _whole(value: Any) -> int | None:
    """The whole number that is meant by a number or a word, if it is one."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _kinds_of(kind: Any) -> tuple[Any, ...]:
    return typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)


def _is_several(kind: Any) -> bool:
    return typing.get_origin(kind) is tuple


def _is_number(kind: Any) -> bool:
    kinds = _kinds_of(kind)
    return (int in kinds or float in kinds) and str not in kinds


def _is_text(kind: Any, field: dataclasses.Field[Any]) -> bool:
    return str in _kinds_of(kind) and not field.metadata.get("choices")
