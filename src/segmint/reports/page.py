"""A page: one HTML file whose pictures are inside and which requests nothing.

write_page("report.html", Page(title="Cells", lead="Three scans.", sections=(...,)))

A page has no script, except where it has a :class:`Slider` or may be :class:`Late`: then it has the
one of ``page.js``, whose hash stands in the page's security policy, so that nothing else runs.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from segmint.errors import InputError
from segmint.reports import chart as drawing
from segmint.reports.chart import Chart
from segmint.reports.pictures import Embedded
from segmint.runs import write_text

if TYPE_CHECKING:
    from jinja2 import Template


_COLOR = r"#[0-9a-fA-F]{6}"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture of a figure."""

    picture: Embedded
    alt: str
    """What the picture shows, for readers who do not see it."""
    label: str = ""
    """A few words under the picture."""

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise InputError("a picture has no alt text: say in words what it shows")


@dataclass(frozen=True, kw_only=True)
class Slider:
    """Two pictures of the same size one over the other, with an edge between them that moves.

    Mouse, finger and arrow keys move it. Without script, and in print, both stand side by side.
    """

    left: Panel
    """Seen to the left of the edge."""
    right: Panel
    """Seen to the right of it."""

    def __post_init__(self) -> None:
        sizes = [(each.picture.width, each.picture.height) for each in (self.left, self.right)]
        if sizes[0] != sizes[1]:
            raise InputError(
                f"a slider has pictures of {sizes[0]} and {sizes[1]} pixels, accepted are two of "
                "the same size: embed both at one size"
            )


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Pictures side by side, one below the other on a phone, with one caption."""

    panels: tuple[Panel | Slider, ...]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar, with its name before it and its value behind it."""

    label: str
    text: str
    """The value, with its unit where it has one."""
    share: float
    """Length, 0 to 1."""
    color: str | None = None
    """Of a square before the name, as ``#rrggbb``; all bars of a page have the same color, so that
    none is paler than the ground."""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise InputError(f"bar {self.label!r} has length {self.share}, accepted is 0 to 1")
        if self.color is not None and not re.fullmatch(_COLOR, self.color):
            raise InputError(f"bar {self.label!r} has color {self.color!r}, accepted is #rrggbb")


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Horizontal bars, one below the other, from the same line."""

    bars: tuple[Bar, ...]
    caption: str
    """What they measure and in which unit; the title above them."""
    notes: tuple[str, ...] = ()
    """Under them."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What the colors of a map mean: a strip of them from one number to another."""

    title: str
    """What is counted, with its unit."""
    low: str
    high: str
    colors: tuple[str, ...]
    """At even steps from low to high, as ``#rrggbb``; two or more."""

    def __post_init__(self) -> None:
        if len(self.colors) < 2 or not all(re.fullmatch(_COLOR, each) for each in self.colors):
            raise InputError(
                f"scale {self.title!r} has colors {self.colors}, accepted are two or more #rrggbb"
            )


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table."""

    text: str
    best: bool = False
    """Printed bold."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; the first column names the rows, the others hold numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    notes: tuple[str, ...] = ()
    """Under the table: how its numbers were measured."""

    def __post_init__(self) -> None:
        wrong = [len(row) for row in self.rows if len(row) != len(self.columns)]
        if wrong:
            raise InputError(
                f"a table of {len(self.columns)} columns has a row of {wrong[0]} cells"
            )


@dataclass(frozen=True, kw_only=True)
class Command:
    """A line to paste into a shell, and what it does."""

    line: str
    purpose: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A chapter of a page; its parts appear in the order of these fields."""

    title: str
    text: tuple[str, ...] = ()
    """Paragraphs."""
    items: tuple[str, ...] = ()
    """A list below them."""
    legend: tuple[tuple[str, str | None], ...] = ()
    """Names in the figures, each with its color as ``#rrggbb`` where it has one."""
    scales: tuple[Scale, ...] = ()
    figures: tuple[Figure, ...] = ()
    gallery: bool = False
    """Figures of one picture each are small and many: rows of one height, as many as fit."""
    charts: tuple[Chart, ...] = ()
    bars: tuple[Bars, ...] = ()
    tables: tuple[Table, ...] = ()
    commands: tuple[Command, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    """Names and values."""


@dataclass(frozen=True, kw_only=True)
class Late:
    """What a page says instead of its notice where nobody has written it anew in time."""

    after: int
    """Seconds since 1970, by the clock of the reader."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a report says."""

    title: str
    lead: str
    """One or two sentences on what the reader sees."""
    sections: tuple[Section, ...]
    highlights: tuple[tuple[str, str], ...] = ()
    """The few numbers that a reader looks for first, each with what it is."""
    footer: str = ""
    language: str = "en"
    notice: str = ""
    """Above everything else: that the page shows something unfinished, or why it stopped."""
    late: Late | None = None
    """Of a notice."""
    refresh: int | None = None
    """Seconds after which a browser reads the file once more."""


def write_page(path: str | Path, page: Page) -> Path:
    """Write a page as one HTML file, whole or not at all.

    Returns:
        The path.

    Raises:
        OutputError: when it cannot be written.
    """
    path = Path(path)
    write_text(path, render(page))
    return path


def render(page: Page) -> str:
    """A page as HTML; text is escaped, so that none of it can be markup.

    Example:
        >>> "5 &lt; 6" in render(Page(title="5 < 6", lead="", sections=()))
        True
    """
    moves = page.late is not None or any(map(_has_slider, page.sections))
    script = _resource("page.js") if moves else ""
    return _template().render(
        page=page,
        drawing=drawing,
        style=_resource("page.css"),
        script=script,
        script_hash=script_hash(script),
        is_slider=lambda panel: isinstance(panel, Slider),
        ratio=_ratio,
    )


def pictures_length(figures: Iterable[Figure]) -> int:
    """Letters that the pictures of figures take in the page."""
    panels = (panel for figure in figures for panel in figure.panels)
    shown = (
        each.picture
        for panel in panels
        for each in ((panel.left, panel.right) if isinstance(panel, Slider) else (panel,))
    )
    return sum(len(picture.uri) + len(picture.still or "") for picture in shown)


def script_hash(script: str) -> str:
    """What a security policy calls a script by: the hash of the text between its tags.

    Example:
        >>> script_hash("")
        'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _ratio(panel: Panel | Slider) -> float:
    """Width over height of a picture."""
    picture = panel.left.picture if isinstance(panel, Slider) else panel.picture
    return round(picture.width / picture.height, 4)


def _has_slider(section: Section) -> bool:
    return any(isinstance(each, Slider) for figure in section.figures for each in figure.panels)


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_resource("page.html.j2"))


@functools.cache
def _resource(name: str) -> str:
    return resources.files("segmint.reports").joinpath(name).read_text(encoding="utf-8")
