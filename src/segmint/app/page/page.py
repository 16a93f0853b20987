"""The page: what stands where, and what each part does when it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import gradio as gr

from segmint.app.changes import Changes
from segmint.app.desks import uploads
from segmint.app.desks.desk import Desk, Picture
from segmint.app.guard.visitor import visitor_of
from segmint.app.page.label_free_door import LabelFreeDoor
from segmint.app.page.painting import Painting
from segmint.app.page.sample_list import samples_value
from segmint.app.page.screen import Screen, Update
from segmint.app.page.status import Status
from segmint.app.page.trained_door import TrainedDoor
from segmint.app.page.wishes import LabelFree, Wish
from segmint.app.page.working import change, save, work, work_on_all
from segmint.errors import SegmintError, UsageError, shortened

if TYPE_CHECKING:
    from segmint.app.setting import Setting

_STATIC = "/segmint/static"
_HELLO = "Choose a picture: drop a file, or take one of the samples."
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Of every event: the page itself says what goes on, and there is no other use of its addresses."""


def build_page(setting: Setting) -> gr.Blocks:
    """The page, which acts on the desks of its visitors."""
    with gr.Blocks(title="segmint", analytics_enabled=False, fill_width=True) as page:
        _Page(setting).build(page)
    page.state_session_capacity = 1_000
    page.queue(max_size=20 * setting.limits.waiting, default_concurrency_limit=None)
    return page


@cache
def _drawing() -> str:
    """The tags of our own styles and scripts, these in the order in which they need each other."""
    listed = (resources.files("segmint.app") / "static" / "scripts.txt").read_text("ascii").split()
    names = [*listed, "samples.js", "outcome.js"]
    scripts = "".join(f'<script src="{_STATIC}/{name}"></script>' for name in names)
    return f'<link rel="stylesheet" href="{_STATIC}/viewer.css">{scripts}'


class _Page:
    """The layout and its handlers; what a visitor has lies on the desk, nothing here."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def build(self, page: gr.Blocks) -> None:
        with gr.Row(elem_id="top"):
            gr.HTML("<h1>segmint</h1>", elem_id="head")
            status = gr.HTML(Status(_HELLO).html, elem_id="status")
        with gr.Row(elem_id="house", equal_height=False):
            with gr.Column(elem_id="left", scale=0, min_width=300):
                uploader = _drawn("attachUploader", "uploader")
                samples = _drawn("attachSamples", "samples", value=samples_value())
                with gr.Tabs(elem_id="doors"):
                    with gr.Tab("I have only an image", id="label-free") as self._free_tab:
                        self._free = LabelFreeDoor(self._setting.how.seed)
                    with gr.Tab("I have a trained run", id="trained") as self._trained_tab:
                        self._trained = TrainedDoor(self._setting.runs)
                self._door = gr.State("label-free")
                with gr.Row(elem_id="actions"):
                    go = gr.Button("Segment", variant="primary", elem_id="segment")
                    every = gr.Button("Segment all", elem_id="segment-all", visible=False)
                    stop = gr.Button("Stop", variant="stop", elem_id="stop", visible=False)
            with gr.Column(elem_id="middle", scale=3, min_width=320):
                viewer = _drawn("attachViewer", "viewer")
            right = gr.Column(elem_id="right", scale=0, min_width=280)
            with right, gr.Tabs(elem_id="findings"):
                with gr.Tab("Components"):
                    cut = gr.Slider(
                        *(1, 2, 2),
                        step=1,
                        label="How many",
                        info="Joins or parts what was found; nothing is fitted again.",
                        elem_id="cut",
                        visible=False,
                    )
                    legend = _drawn("attachLegend", "legend")
                with gr.Tab("Files and commands", elem_id="taking"):
                    outcome = _drawn("attachOutcome", "outcome", template="${value}", value="")
        self._screen = Screen(
            setting=self._setting,
            viewer=viewer,
            legend=legend,
            uploader=uploader,
            status=status,
            cut=cut,
            outcome=outcome,
            go=go,
            every=every,
            stop=stop,
        )
        self._wire(page, samples)

    def _wire(self, page: gr.Blocks, samples: gr.HTML) -> None:
        screen, shown = self._screen, self._screen.outputs
        asked = [self._door, *self._free.inputs, *self._trained.inputs]
        page.load(self._enter, None, shown, **_QUIET)
        page.unload(self._leave)
        for tab, door in ((self._free_tab, "label-free"), (self._trained_tab, "trained")):
            tab.select(_constant(door), None, self._door, **_QUIET)
        screen.uploader.upload(self._arrived, None, shown, **_QUIET)
        screen.uploader.select(self._choose, None, shown, **_QUIET)
        screen.uploader.clear(self._remove, None, shown, **_QUIET)
        samples.select(self._take_sample, None, shown, **_QUIET)
        screen.go.click(self._segment, asked, shown, **_QUIET)
        screen.every.click(self._segment_all, asked, shown, **_QUIET)
        screen.stop.click(self._stop, None, None, **_QUIET)
        latest: dict[str, Any] = {"trigger_mode": "always_last", **_QUIET}
        screen.cut.input(self._cut, screen.cut, shown, **latest)
        screen.viewer.input(self._paint, asked, shown, **latest)
        screen.legend.edit(self._name, None, shown, trigger_mode="multiple", **_QUIET)
        for part in (screen.legend, screen.viewer):
            part.apply(self._merge, None, shown, **_QUIET)
            part.undo(self._unmerge, None, shown, **_QUIET)

    async def _enter(self, request: gr.Request) -> Update:
        return self._screen.all(self._desk(request), Status(_HELLO))

    async def _leave(self, request: gr.Request) -> None:
        desk = self._setting.desks.of(_visitor(request), str(request.session_hash))
        if desk is not None:
            self._setting.desks.close(desk)

    async def _arrived(self, request: gr.Request, event: gr.EventData) -> Update:
        desk = self._desk(request)
        numbers = [number for number in _numbers(event, "pictures") if number in desk.pictures]
        return self._showing(desk, numbers[-1] if numbers else None)

    async def _choose(self, request: gr.Request, event: gr.EventData) -> Update:
        return self._showing(self._desk(request), _number(event, "picture"))

    async def _remove(self, request: gr.Request, event: gr.EventData) -> Update:
        desk = self._desk(request)
        number = _number(event, "picture")
        if number in desk.pictures and desk.pictures[number].facts and not desk.is_busy:
            self._setting.desks.remove_picture(desk, desk.pictures[number])
        opened = [each.number for each in desk.pictures.values() if each.facts]
        return self._showing(desk, opened[-1] if opened else None)

    async def _take_sample(self, request: gr.Request, event: gr.EventData) -> Update:
        desk = self._desk(request)
        try:
            picture = await uploads.open_sample(
                self._setting.desks, self._setting.crew, desk, str(_of(event, "sample"))
            )
        except SegmintError as error:
            return self._screen.said(Status(str(error), "failed"))
        return self._showing(desk, picture.number)

    async def _segment(self, request: gr.Request, *values: Any) -> AsyncIterator[Update]:
        desk = self._desk(request)
        picture = desk.picture
        try:
            if picture is None:
                raise UsageError("there is no picture yet: drop a file, or take a sample")
            wish = self._wish(values, picture)
        except SegmintError as error:
            yield self._screen.said(Status(str(error), "failed"))
            return
        async with aclosing(work(self._setting, self._screen, desk, picture, wish)) as updates:
            async for update in updates:
                yield update

    async def _segment_all(self, request: gr.Request, *values: Any) -> AsyncIterator[Update]:
        desk = self._desk(request)
        try:
            wishes = [
                (each, self._wish(values, each)) for each in desk.pictures.values() if each.facts
            ]
        except SegmintError as error:
            yield self._screen.said(Status(str(error), "failed"))
            return
        async with aclosing(work_on_all(self._setting, self._screen, desk, wishes)) as updates:
            async for update in updates:
                yield update

    async def _paint(
        self, request: gr.Request, event: gr.EventData, *values: Any
    ) -> AsyncIterator[Update]:
        desk = self._desk(request)
        # A late event is of the picture that was painted on, not of the one that is shown now.
        picture = desk.pictures.get(_number(event, "picture") or -1)
        if picture is None:
            return
        painting = Painting(picture)
        try:
            wish = self._wish(values, picture, paints=True)
            known = await painting.keep(event._data or {})
        except SegmintError as error:
            yield self._screen.said(Status(str(error), "failed"))
            return
        if known < 2:
            yield self._screen.said(Status(_MORE_STROKES[known]))
            return
        async with aclosing(work(self._setting, self._screen, desk, picture, wish)) as updates:
            async for update in updates:
                yield update
        names = painting.names
        if names and picture.failure is None:
            async for update in self._changed(request, lambda before: replace(before, names=names)):
                yield update

    async def _stop(self, request: gr.Request) -> None:
        self._setting.crew.stop(self._desk(request).id)

    async def _cut(self, request: gr.Request, components: float) -> AsyncIterator[Update]:
        def cut(before: Changes) -> Changes:
            if not isinstance(components, int | float) or not 1 <= components <= _MOST_COMPONENTS:
                raise UsageError(f"--components is {components}, accepted is 1 or more")
            return replace(before, components=int(components), merged=(), names={})

        async for update in self._changed(request, cut):
            yield update

    async def _merge(self, request: gr.Request, event: gr.EventData) -> AsyncIterator[Update]:
        group = tuple(sorted(set(_numbers(event, "merge"))))

        def merge(before: Changes) -> Changes:
            names = {each: text for each, text in before.names.items() if each not in group[1:]}
            return replace(before, merged=(*before.merged, group), names=names)

        async for update in self._changed(request, merge):
            yield update

    async def _unmerge(self, request: gr.Request) -> AsyncIterator[Update]:
        async for update in self._changed(
            request, lambda before: replace(before, merged=before.merged[:-1])
        ):
            yield update

    async def _name(self, request: gr.Request, event: gr.EventData) -> AsyncIterator[Update]:
        given = _of(event, "names")
        named = given if isinstance(given, dict) else {}

        def name(before: Changes) -> Changes:
            entered = {_number_of(each): str(text) for each, text in named.items()}
            names = {**before.names, **entered}
            return replace(before, names={each: text for each, text in names.items() if text})

        async for update in self._changed(request, name):
            yield update

    async def _changed(
        self, request: gr.Request, done: Callable[[Changes], Changes]
    ) -> AsyncIterator[Update]:
        """Do a change by hand and show it, then write its files."""
        desk = self._desk(request)
        picture = desk.picture
        if picture is None or picture.answer is None:
            return
        wish = picture.wish
        try:
            async with desk.turn():
                if picture.wish is not wish:
                    raise UsageError(
                        f"{picture.name} was segmented again in between, so its components are "
                        "others: choose again"
                    )
                with self._setting.desks.using(desk):
                    await change(self._setting, desk, picture, done(picture.changes))
            yield self._screen.changed(desk, Status(_told(picture)))
            async with desk.turn():
                with self._setting.desks.using(desk):
                    await save(self._setting, desk, picture)
        except SegmintError as error:
            yield self._screen.said(Status(str(error), "failed"))
            return
        yield self._screen.changed(desk, Status(_told(picture)))

    def _wish(self, values: tuple[Any, ...], picture: Picture, *, paints: bool = False) -> Wish:
        """What the controls say.

        Raises:
            UsageError: for a value that the command line would refuse.
        """
        door, *rest = values
        free = len(self._free.inputs)
        if door == "trained" and not paints:
            return self._trained.wish(rest[free:])
        wish = self._free.wish(rest[:free])
        return Painting(picture).guided(wish) if paints else _with_scribbles(wish, picture)

    def _showing(self, desk: Desk, number: int | None) -> Update:
        picture = desk.pictures.get(-1 if number is None else number)
        if picture is not None and picture.facts and not desk.is_busy:
            desk.current = number
        picture = desk.picture
        return self._screen.all(desk, Status(_HELLO if picture is None else _described(picture)))

    def _desk(self, request: gr.Request) -> Desk:
        """The visitor's desk; a new one where the old one was cleared away."""
        return self._setting.desks.open(_visitor(request), str(request.session_hash))


_MOST_COMPONENTS = 2**31 - 1
_MOST_DIGITS = 9

_MORE_STROKES = (
    "Paint a stroke into two areas or more, each in a color of its own.",
    "Now paint a second area in another color: two are needed to tell areas apart.",
)


def _drawn(attach: str, name: str, *, template: str = "", value: Any = None) -> gr.HTML:
    """A part of the page that is drawn by our own script."""
    return gr.HTML(
        value if value is not None else {},
        html_template=template or f'<div class="segmint-{name}"></div>',
        js_on_load=f"window.segmint.{attach}(element, props, trigger, watch)",
        head=_drawing(),
        elem_id=name,
        apply_default_css=False,
    )


def _with_scribbles(wish: LabelFree, picture: Picture) -> LabelFree:
    return replace(wish, scribbles=True) if picture.scribbles.exists() else wish


def _described(picture: Picture) -> str:
    facts = picture.facts
    slices = f", {facts['slices']} slices" if facts["slices"] > 1 else ""
    large = "; large, so a preview comes first" if facts["large"] else ""
    return f"{picture.name}: {facts['width']} x {facts['height']} pixels{slices}{large}"


def _told(picture: Picture) -> str:
    assert picture.answer is not None
    count = picture.answer.facts["components"]
    named = len(picture.changes.names)
    told = f"{picture.name}: {count} component{'' if count == 1 else 's'}"
    return f"{told}, {named} named" if named else told


def _visitor(request: gr.Request) -> str:
    return visitor_of(request.cookies) or ""


def _constant(value: str) -> Callable[[], str]:
    return lambda: value


def _of(event: gr.EventData, name: str) -> Any:
    data = event._data
    return data.get(name) if isinstance(data, dict) else None


def _number(event: gr.EventData, name: str) -> int | None:
    value = _of(event, name)
    return value if isinstance(value, int) else None


def _number_of(word: object) -> int:
    """The id that a key of a mapping names.

    Raises:
        UsageError: when it is none.
    """
    text = str(word)
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise UsageError(f"{shortened(repr(word))} is no component: choose one of the list")
    return int(text)


def _numbers(event: gr.EventData, name: str) -> list[int]:
    values = _of(event, name)
    return [each for each in values if isinstance(each, int)] if isinstance(values, list) else []
