"""The door for those who have a trained run: which one, who answers, and how it looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from segmint.app.page.controls import Controls
from segmint.app.page.wishes import Trained
from segmint.cli.predict_options import PredictOptions
from segmint.errors import UsageError, nearest

if TYPE_CHECKING:
    from segmint.app.found_runs import FoundRun

_OFFERED = {"tta", "tta_scales", "uncertainty"}
_BEST = "the best in training"


class TrainedDoor:
    """Controls for answering by a run; made inside ``gr.Blocks``."""

    def __init__(self, runs: Sequence[FoundRun]) -> None:
        self._runs = {run.name: run for run in runs}
        if not runs:
            gr.HTML(
                "<p>No run was given at the start. Learn one with <code>segmint train</code> and "
                "open it here with <code>segmint app RUN</code>.</p>"
            )
        names = list(self._runs)
        first = next(iter(runs), None)
        self._run = gr.Dropdown(
            names,
            value=names[0] if names else None,
            label="Run",
            elem_id="run",
            filterable=False,
            visible=bool(runs),
        )
        self._about = gr.HTML(about(first), elem_id="about-run")
        peers = () if first is None else first.peers
        self._peer = gr.Dropdown(
            [_BEST, *peers],
            value=_BEST,
            label="Who answers",
            info="Of a run with several networks one of them, or all together.",
            visible=bool(peers),
            elem_id="peer",
        )
        with gr.Accordion("More options", open=False, visible=bool(runs)):
            fields = set(PredictOptions.names().values())
            self._controls = Controls(PredictOptions, method="run", leave_out=fields - _OFFERED)
        self._run.change(
            self._show_run,
            self._run,
            [self._about, self._peer],
            show_progress="hidden",
            api_visibility="private",
        )

    @property
    def inputs(self) -> list[Any]:
        """Components that a wish is made of."""
        return [self._run, self._peer, *self._controls.components]

    def wish(self, values: Sequence[Any]) -> Trained:
        """What a visitor asks for.

        Raises:
            UsageError: for a value that the command line would refuse.
        """
        name, peer, *rest = values
        given = self._controls.given(rest)
        chosen = None if peer in (None, _BEST) else str(peer)
        return Trained(run=self._found(name), peer=chosen, given=given)

    def _found(self, name: object) -> FoundRun:
        if not self._runs:
            raise UsageError(
                "no run was given at the start: learn one with 'segmint train', then "
                "'segmint app RUN'"
            )
        if name not in self._runs:
            raise UsageError(f"unknown run {name!r}: {nearest(str(name), self._runs)}")
        return self._runs[str(name)]

    def _show_run(self, name: str) -> list[Any]:
        run = self._found(name)
        peers = gr.update(choices=[_BEST, *run.peers], value=_BEST, visible=bool(run.peers))
        return [about(run), peers]


def about(run: FoundRun | None) -> str:
    """A line on what a run is."""
    import html

    if run is None:
        return ""
    parts = [run.recipe]
    parts += [f"on {run.dataset}"] if run.dataset else []
    parts += [f"{run.class_count} classes"] if run.class_count else []
    parts += [f"validation mean IoU {run.score:.3f}"] if run.score is not None else []
    return f'<p class="soft">{html.escape(", ".join(parts))}</p>'
