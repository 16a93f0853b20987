"""The parts of the page that follow the desk, and what each handler sends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from segmint.app.page.outcome import outcome_html
from segmint.app.page.status import Status
from segmint.app.page.values import uploader_value, viewer_value
from segmint.app.sizes import size_of

if TYPE_CHECKING:
    from segmint.app.desks.desk import Desk
    from segmint.app.setting import Setting

Update = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Screen:
    """The components whose contents follow the desk; an update has a value for each."""

    setting: Setting
    viewer: gr.HTML
    legend: gr.HTML
    uploader: gr.HTML
    status: gr.HTML
    cut: gr.Slider
    outcome: gr.HTML
    go: gr.Button
    every: gr.Button
    stop: gr.Button

    @property
    def outputs(self) -> list[Any]:
        """The components, in the order of every update."""
        return [getattr(self, name) for name in _PARTS]

    def all(self, desk: Desk, status: Status) -> Update:
        """Everything as it is on the desk."""
        value = viewer_value(desk)
        return self._update(
            viewer=value,
            legend=value,
            uploader=uploader_value(desk, size_of("max-upload", self.setting.limits.max_upload)),
            status=status.html,
            cut=_cut(desk),
            outcome=outcome_html(desk, self.setting),
            **_buttons(desk, busy=False),
        )

    def changed(self, desk: Desk, status: Status) -> Update:
        """What follows from a change by hand; the slider that may have made it stays as it is."""
        value = viewer_value(desk)
        outcome = outcome_html(desk, self.setting)
        return self._update(viewer=value, legend=value, status=status.html, outcome=outcome)

    def begun(self, desk: Desk, status: Status) -> Update:
        """A picture is worked on from now."""
        value = viewer_value(desk, busy=True)
        return self._update(viewer=value, status=status.html, **_buttons(desk, busy=True))

    def frame(self, desk: Desk, frame: Mapping[str, Any], status: Status) -> Update:
        """Labels as they are now."""
        value = viewer_value(desk, frame=frame, busy=True)
        return self._update(viewer=value, status=status.html)

    def said(self, status: Status) -> Update:
        """A sentence, and nothing else."""
        return self._update(status=status.html)

    def _update(self, **values: Any) -> Update:
        return tuple(values.get(name, gr.skip()) for name in _PARTS)


_PARTS = (
    *("viewer", "legend", "uploader", "status"),
    *("cut", "outcome", "go", "every", "stop"),
)

_HIGHEST_CUT = 100
"""More would make the slider too coarse; the method's own option asks for any number."""


def _cut(desk: Desk) -> Any:
    picture = desk.picture
    facts = {} if picture is None or picture.answer is None else picture.answer.facts
    most = facts.get("most_components")
    if not most:
        return gr.update(visible=False)
    top = min(most, max(_HIGHEST_CUT, facts["components"]))
    return gr.update(visible=True, maximum=top, value=min(facts["components"], top))


def _buttons(desk: Desk, *, busy: bool) -> dict[str, Any]:
    has_picture = desk.picture is not None
    return {
        "go": gr.update(visible=not busy, interactive=has_picture),
        "every": gr.update(visible=len(desk.pictures) > 1 and not busy),
        "stop": gr.update(visible=busy),
    }
