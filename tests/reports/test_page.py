from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.errors import InputError, OutputError
from segmint.images.film import Film
from segmint.reports import (
    Bar,
    Bars,
    Cell,
    Chart,
    Command,
    Figure,
    Page,
    Panel,
    Section,
    Slider,
    Table,
    embed,
    embed_film,
    render,
    write_page,
)
from segmint.reports.chart import ticks
from segmint.reports.page import Late, Scale, pictures_length, script_hash

HOSTILE = "<script>alert('x')</script>\" onload=\"alert(1) <img src=http://example.org/a.png>"
PICTURE = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)
VOID = {"meta", "link", "img", "source", "line", "polyline", "circle", "br", "hr", "input"}


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
    check_scripts(html)
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


def check_scripts(html):
    """The one script that a page may have is the one whose hash its policy names."""
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    allowed = re.findall(r"'sha256-([^']*)'", policy)
    assert allowed == hashes
    assert len(scripts) == html.count("<script") <= 1
    assert "default-src 'none'" in policy
    named = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert named.keys() <= {"default-src", "img-src", "style-src", "script-src"}
    assert "http" not in policy


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


def a_slider(**changes):
    return Slider(**{"left": panel(label="truth"), "right": panel(label="found"), **changes})


def a_page_that_moves(**changes):
    section = Section(
        title="Pictures",
        items=("one", "two"),
        scales=(Scale(title="Entropy", low="0", high="2 bits", colors=("#000000", "#ffff00")),),
        figures=(Figure(panels=(panel(), a_slider()), caption="it moves"),),
        bars=(
            Bars(
                caption="Share of pixels",
                bars=(
                    Bar(label="road", text="75.0 %", share=0.75, color="#804080"),
                    Bar(label="sky", text="0 %", share=0),
                ),
                notes=("of 3 images",),
            ),
        ),
    )
    return Page(**{"title": "t", "lead": "l", "sections": (section,), **changes})


def test_a_page_without_slider_has_no_script():
    html = render(a_page())
    assert "<script" not in html
    assert "script-src" not in html


def test_the_script_of_a_slider_is_the_one_that_the_policy_allows():
    html = render(a_page_that_moves())
    assert html.count("<script>") == 1
    check_self_contained(html)


def test_hash_is_the_one_that_browsers_compute():
    """The example of the specification, Content Security Policy Level 3, section 8.3."""
    text = "alert('Hello, world.');"
    assert script_hash(text) == "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="


def test_a_slider_is_told_to_those_who_do_not_see():
    (control,) = Reader(render(a_page_that_moves())).all("input")
    assert (control["type"], control["min"], control["max"]) == ("range", "0", "100")
    assert "a ramp" in control["aria-label"]


def test_without_script_both_pictures_of_a_slider_are_seen():
    reader = Reader(render(a_page_that_moves()))
    assert len(reader.all("img")) == 3
    assert {"truth", "found"} <= set(reader.text)


def test_bars_have_their_lengths_names_and_values():
    html = render(a_page_that_moves())
    assert re.findall(r'style="width: ([0-9.]+)%"', html) == ["75.0", "0"]
    assert {"road", "75.0 %", "sky", "0 %", "of 3 images"} <= set(Reader(html).text)


def test_notice_and_refresh_are_there_where_they_are_asked_for():
    assert 'http-equiv="refresh"' not in render(a_page())
    assert 'class="notice"' not in render(a_page())
    late = Late(after=123, text="no step since noon")
    html = render(a_page_that_moves(notice="Unfinished.", late=late, refresh=30))
    reader = check_self_contained(html)
    assert {"http-equiv": "refresh", "content": "30"} in reader.all("meta")
    (notice,) = [each for each in reader.all("p") if each.get("class") == "notice"]
    assert (notice["data-late-after"], notice["data-late-text"]) == ("123", late.text)
    assert "Unfinished." in reader.text


def test_the_length_of_pictures_is_what_the_page_holds_of_them():
    page = a_page_that_moves()
    html = render(page)
    shown = sum(len(uri) for uri in re.findall(r'<img src="([^"]*)"', html))
    assert pictures_length(page.sections[0].figures) == shown


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
        items=(HOSTILE,),
        scales=(Scale(title=HOSTILE, low=HOSTILE, high=HOSTILE, colors=("#000000", "#ffffff")),),
        bars=(
            Bars(
                bars=(Bar(label=HOSTILE, text=HOSTILE, share=1),), caption=HOSTILE, notes=(HOSTILE,)
            ),
        ),
        commands=(Command(line=HOSTILE, purpose=HOSTILE),),
        facts={HOSTILE: HOSTILE},
    )
    hostile = panel(alt=HOSTILE, label=HOSTILE)
    sliders = Section(
        title=HOSTILE, figures=(Figure(panels=(Slider(left=hostile, right=hostile),)),)
    )
    page = Page(
        title=HOSTILE,
        lead=HOSTILE,
        sections=(section, sliders, section),
        highlights=((HOSTILE, HOSTILE),),
        footer=HOSTILE,
        notice=HOSTILE,
        late=Late(after=1, text=HOSTILE),
    )
    reader = check_self_contained(render(page))
    assert [image["alt"] for image in reader.all("img")] == [HOSTILE] * 4
    assert reader.text.count(HOSTILE) >= 30


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
        (
            lambda: a_slider(right=panel(picture=embed(PICTURE[:4]))),
            "two of the same size",
        ),
        (lambda: Bar(label="a", text="", share=1.1), "length 1.1, accepted is 0 to 1"),
        (lambda: Bar(label="a", text="", share=float("nan")), "length nan"),
        (lambda: Bar(label="a", text="", share=1, color="red"), "accepted is #rrggbb"),
        (lambda: Scale(title="t", low="", high="", colors=("#000000",)), "two or more"),
        (lambda: Scale(title="t", low="", high="", colors=("url(x)", "#ffffff")), "#rrggbb"),
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
