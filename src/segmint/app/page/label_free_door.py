"""The door for those who have only an image: a method, a few options in sight, the rest folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from segmint.app.page.controls import Controls, preset_choices
from segmint.app.page.wishes import LabelFree
from segmint.methods import DEFAULT_METHOD, methods
from segmint.methods.method import Method

IN_SIGHT = ("components", "fineness", "segments", "scale", "iterations", "max_epochs")
"""Options that are not folded, where a method has them; the first two of them at most."""
_MOST_IN_SIGHT = 2
_OF_FILES = ("lam",)
"""Options that mean nothing without a file that visitors cannot give."""


@dataclass(frozen=True, kw_only=True)
class _Panel:
    """The options of one method."""

    name: str
    group: gr.Column
    presets: gr.Dropdown | None
    seen: Controls
    folded: Controls

    @property
    def components(self) -> list[Any]:
        presets = [] if self.presets is None else [self.presets]
        return [*presets, *self.seen.components, *self.folded.components]

    def preset_values(self, chosen: str | None) -> list[Any]:
        """What the controls show when a preset is chosen."""
        preset = self._preset(chosen)
        return [*self.seen.shown(preset), *self.folded.shown(preset)]

    def wish(self, values: Sequence[Any], seed: int) -> LabelFree:
        chosen, rest = (None, values) if self.presets is None else (values[0], values[1:])
        preset = self._preset(chosen)
        seen = len(self.seen.components)
        folded = self.folded.given(rest[seen:], preset=preset)
        # Of options that bound each other, both hold.
        given = {**self.seen.given(rest[:seen], preset={**preset, **folded}), **folded}
        return LabelFree(method=self.name, preset=chosen or None, given=given, seed=seed)

    def _preset(self, chosen: str | None) -> Any:
        method: Method = methods.load(self.name)
        return method.presets[chosen] if chosen else {}


class LabelFreeDoor:
    """Controls for segmenting without labels; made inside ``gr.Blocks``."""

    def __init__(self, seed: int) -> None:
        self.method = gr.Dropdown(
            list(methods),
            value=DEFAULT_METHOD,
            label="Method",
            info=_about(DEFAULT_METHOD),
            elem_id="method",
            filterable=False,
        )
        self._panels = [self._panel(entry.name) for entry in methods.entries()]
        with gr.Accordion("Seed", open=False, elem_id="seed-fold"):
            self._seed = gr.Number(
                seed, label="Seed", info="Of everything random.", precision=0, elem_id="seed"
            )
        groups = [panel.group for panel in self._panels]
        self.method.change(
            self._show_panel,
            self.method,
            [self.method, *groups],
            show_progress="hidden",
            api_visibility="private",
        )

    @property
    def inputs(self) -> list[Any]:
        """Components that a wish is made of."""
        own = [component for panel in self._panels for component in panel.components]
        return [self.method, self._seed, *own]

    def wish(self, values: Sequence[Any]) -> LabelFree:
        """What a visitor asks for.

        Raises:
            UsageError: for a value that the command line would refuse.
        """
        method, seed, *rest = values
        for panel in self._panels:
            own, rest = rest[: len(panel.components)], rest[len(panel.components) :]
            if panel.name == method:
                return panel.wish(own, checked_seed(seed))
        methods.entry(method)  # says which there are
        raise AssertionError("every registered method has a panel")

    def _panel(self, name: str) -> _Panel:
        method: Method = methods.load(name)
        names = [each for each in IN_SIGHT if each in method.options.names()][:_MOST_IN_SIGHT]
        fields = set(method.options.names().values())
        with gr.Column(visible=name == DEFAULT_METHOD, elem_classes="options") as group:
            seen = Controls(method.options, method=name, leave_out=fields - set(names))
            with gr.Accordion("More options", open=False):
                choices = preset_choices(name)
                presets = None
                if choices:
                    presets = gr.Dropdown(
                        choices,
                        value="",
                        label="Preset",
                        info="Published defaults.",
                        elem_id=f"preset-{name}",
                    )
                folded = Controls(method.options, method=name, leave_out=[*names, *_OF_FILES])
        panel = _Panel(name=name, group=group, presets=presets, seen=seen, folded=folded)
        if presets is not None:
            presets.change(
                panel.preset_values,
                presets,
                [*seen.components, *folded.components],
                show_progress="hidden",
                api_visibility="private",
            )
        return panel

    def _show_panel(self, method: str) -> list[Any]:
        shown = [gr.update(visible=panel.name == method) for panel in self._panels]
        return [gr.update(info=_about(method)), *shown]


def _about(method: str) -> str:
    """What a method is, in a line."""
    summary = methods.entry(method).summary
    return f"{summary[0].upper()}{summary[1:]}."


def checked_seed(seed: Any) -> int:
    """The seed as the command line takes it.

    Raises:
        UsageError: when it is none.
    """
    from segmint.cli.inputs import RunOptions

    return RunOptions(seed=seed).seed
