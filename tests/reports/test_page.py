from __future__ import annotations

import base64
import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.errors import InputError, OutputError
from segmint.images.film import Film
from segmint.reports import (
    Cell,
    Chart,
    Command,
    Figure,
    Page,
    Panel,
    Section,
    Table,
    embed,
    embed_film,
    render,
    write_page,
)
from segmint.reports.chart import ticks

HOSTILE = "<script>alert('x')</script>\" onload=\"alert(1) <img src=http://example.org/a.png>"
PICTURE = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)
VOID = {"meta", "link", "img", "source", "line", "polyline", "circle", "br", "hr"}


class Reader(HTMLParser):
    """Elements with their attributes, text, and whether tags are balanced."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.open = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.text.append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def check_self_contained(html):
    """Nothing in the page runs code or makes the browser ask for anything else."""
    reader = Reader(html)
    ids = {attributes["id"] for _, attributes in reader.elements if "id" in attributes}
    assert not reader.all("script")
    for tag, attributes in reader.elements:
        assert tag not in {"iframe", "object", "embed", "base", "form", "video", "audio"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "srcset"}:
                assert value.startswith(
                    ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,")
                )
            if name in {"href", "xlink:href"}:
                assert value == "data:," or value.removeprefix("#") in ids
    for style in html.split("<style>")[1:]:
        assert "url(" not in style.split("</style>")[0]
        assert "@import" not in style.split("</style>")[0]
    return reader


def panel(**changes):
    return Panel(**{"picture": embed(PICTURE), "alt": "a ramp", "label": "ramp", **changes})


def a_page():
    film = Film(PICTURE)
    film.add(1, film.draw(np.array([[0, 1]])))
    film.add(2, film.draw(np.array([[0, 0]])))
    table = Table(
        columns=("method", "IoU"),
        rows=(
            (Cell(text="blank"), Cell(text="0.1")),
            (Cell(text="net"), Cell(text="0.9", best=True)),
        ),
        caption="Scores",
        notes=("mean over 3 images",),
    )
    first = Section(
        title="Pictures",
        text=("Some text.",),
        figures=(
            Figure(panels=(panel(), panel(picture=embed(PICTURE, exact=True))), caption="two"),
            Figure(panels=(panel(picture=embed_film(film), alt="a film"),)),
        ),
    )
    second = Section(
        title="Numbers",
        tables=(table,),
        charts=(Chart(x=[1, 2, 3], y=[9, 5, 4], x_title="step", y_title="loss", alt="it falls"),),
        commands=(Command(line="segmint info", purpose="versions"),),
        facts={"seed": "7"},
    )
    return Page(title="A title", lead="A lead.", sections=(first, second), footer="the end")


def test_everything_of_a_page_is_there_in_order():
    reader = check_self_contained(render(a_page()))
    expected = [
        "A title",
        "A lead.",
        "Pictures",
        "Some text.",
        "ramp",
        "two",
        "Numbers",
        "Scores",
        "method",
        "blank",
        "0.9",
        "mean over 3 images",
        "segmint info",
        "seed",
        "7",
        "the end",
    ]
    text = iter(reader.text[1:])
    assert all(word in text for word in expected)


def test_page_is_for_phones_both_themes_and_readers_who_do_not_see():
    html = render(a_page())
    reader = Reader(html)
    assert reader.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in reader.all(
        "meta"
    )
    assert "prefers-color-scheme: dark" in html
    assert len(reader.all("img")) == 3
    assert all(image["alt"] and int(image["width"]) == 12 for image in reader.all("img"))
    assert [drawing["aria-label"] for drawing in reader.all("svg")] == ["it falls"]
    assert len(reader.all("h1")) == 1


def test_the_best_cell_is_bold_and_no_other():
    html = render(a_page())
    assert html.count("<strong>") == 1
    assert "<strong>0.9</strong>" in html


def test_a_film_has_a_still_for_readers_who_asked_for_less_motion():
    sources = Reader(render(a_page())).all("source")
    assert [source["media"] for source in sources] == ["(prefers-reduced-motion: reduce)"]
    assert sources[0]["srcset"].startswith("data:image/jpeg")


def test_hostile_text_stays_text_everywhere():
    section = Section(
        title=HOSTILE,
        text=(HOSTILE,),
        figures=(Figure(panels=(panel(alt=HOSTILE, label=HOSTILE),), caption=HOSTILE),),
        tables=(
            Table(
                columns=(HOSTILE,), rows=((Cell(text=HOSTILE),),), caption=HOSTILE, notes=(HOSTILE,)
            ),
        ),
        charts=(
            Chart(x=[0], y=[1], x_title=HOSTILE, y_title=HOSTILE, alt=HOSTILE, caption=HOSTILE),
        ),
        commands=(Command(line=HOSTILE, purpose=HOSTILE),),
        facts={HOSTILE: HOSTILE},
    )
    page = Page(title=HOSTILE, lead=HOSTILE, sections=(section, section), footer=HOSTILE)
    reader = check_self_contained(render(page))
    assert [image["alt"] for image in reader.all("img")] == [HOSTILE] * 2
    assert reader.text.count(HOSTILE) >= 20


def test_large_pictures_are_reduced_and_small_ones_are_not():
    assert (embed(np.zeros((500, 1000), np.uint8)).width, embed(PICTURE).width) == (640, 12)
    assert embed(np.zeros((500, 1000, 3), np.uint8), longest_side=100).height == 50


def test_an_exact_picture_keeps_every_pixel():
    content = base64.b64decode(embed(PICTURE, exact=True).uri.partition(",")[2])
    assert np.array_equal(np.array(Pillow.open(io.BytesIO(content))), PICTURE)


def test_write_page_gives_the_file_that_render_gives(tmp_path):
    path = write_page(tmp_path / "new" / "report.html", a_page())
    assert path.read_text(encoding="utf-8") == render(a_page())
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_page(tmp_path / "file" / "report.html", a_page())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: panel(alt=" "), "no alt text"),
        (lambda: embed(PICTURE.astype(np.float32)), "float32"),
        (lambda: embed_film(Film(PICTURE)), "no frames"),
        (
            lambda: Table(columns=("a", "b"), rows=((Cell(text="1"),),), caption="t"),
            "2 columns has a row of 1",
        ),
        (lambda: Chart(x=[], y=[], x_title="", y_title="", alt="a"), "0 x values"),
        (lambda: Chart(x=[0], y=[np.nan], x_title="", y_title="", alt="a"), "not finite"),
    ],
)
def test_what_cannot_be_shown_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("high", [1e-9, 0.3, 1, 7, 99, 100, 101, 12345.0])
def test_ticks_enclose_the_values_at_an_even_round_step(high):
    marks = ticks([high / 3, high])
    steps = np.diff(marks)
    assert marks[0] == 0
    assert high <= marks[-1] * (1 + 1e-9)
    assert np.allclose(steps, steps[0])
    assert 3 <= len(marks) <= 7
    assert f"{steps[0]:.0e}"[0] in "125"


def test_a_curve_stays_inside_its_drawing():
    chart = Chart(x=[1, 5, 9], y=[-3, 80, 80], x_title="x", y_title="y", alt="a")
    assert all(0 < x < 360 and 0 < y < 210 for x, y in chart.points)
    assert chart.points[0][1] > chart.points[1][1]


def test_axis_without_zero_fills_the_height() -> None:
    chart = Chart(x=[0, 1], y=[3.3, 4.1], x_title="x", y_title="y", alt="a", from_zero=False)
    assert [tick.text for tick in chart.y_ticks] == ["3.2", "3.4", "3.6", "3.8", "4", "4.2"]
    assert ticks([3.3, 4.1])[0] == 0
