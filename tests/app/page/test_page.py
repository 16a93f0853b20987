"""The page as a visitor uses it: samples, files, options, results; the same as the command line."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from page_tab import Tab, started
from PIL import Image as Pillow

from segmint.app.desks.samples import samples
from segmint.cli import run as command_line
from segmint.images import read_labels

COMPARED = ("labels.png", "overlay.png", "components.csv")


def sample_path(name: str) -> Path:
    """Where a sample lies."""
    return next(Path(each.path) for each in samples() if each.name == name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to call the command line in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_lines(tab: Tab) -> None:
    """Run the lines that the page gives for the command line."""
    for line in tab.lines("On the command line").replace("\\\n", " ").splitlines():
        program, *arguments = shlex.split(line)
        assert program == "segmint"
        assert command_line(arguments) == 0


def test_first_click_needs_no_file(tab: Tab, folder: Path) -> None:
    tab.take_sample("coffee.png")
    tab.segment()
    sent = {name: tab.fetched(name) for name in COMPARED}
    (folder / "coffee.png").write_bytes(sample_path("coffee.png").read_bytes())
    run_lines(tab)
    for name, content in sent.items():
        assert content == (folder / "segmint-out" / "coffee" / name).read_bytes(), name
    assert tab.faults == []


def test_options_are_those_of_the_command_line(tab: Tab, folder: Path) -> None:
    tab.take_sample("coins.png")
    tab.choose("method", "kmeans")
    tab.page.fill("#option-kmeans-components input[type=number]", "3")
    tab.segment("3 components")
    sent = tab.fetched("labels.png")
    assert "--method kmeans --components 3" in tab.lines("On the command line")
    (folder / "coins.png").write_bytes(sample_path("coins.png").read_bytes())
    run_lines(tab)
    assert sent == (folder / "segmint-out" / "coins" / "labels.png").read_bytes()


def test_lines_for_python_do_the_same(tab: Tab, folder: Path) -> None:
    tab.take_sample("coffee.png")
    tab.page.fill("#option-hybrid-components :is(input, textarea)", "4")
    tab.segment("4 components")
    sent = tab.fetched("labels.png")
    (folder / "coffee.png").write_bytes(sample_path("coffee.png").read_bytes())
    (folder / "again.py").write_text(tab.lines("In Python"))
    import runpy

    runpy.run_path("again.py")
    assert sent == (folder / "segmint-out" / "coffee" / "labels.png").read_bytes()


def test_learning_is_seen(tab: Tab) -> None:
    tab.take_sample("coffee.png")
    tab.choose("method", "clustering")
    tab.page.click("#segment")
    tab.page.wait_for_selector(".segmint-badge:has-text('iteration')")
    tab.wait_for_status(" in ")
    assert tab.faults == []


def test_stop_keeps_what_there_is(tab: Tab) -> None:
    tab.take_sample("coffee.png")
    tab.choose("method", "clustering")
    tab.page.locator("#option-clustering-iterations :is(input[type=number], textarea)").fill("2000")
    tab.page.click("#segment")
    tab.page.wait_for_selector(".segmint-badge:has-text('iteration')")
    tab.page.click("#stop")
    tab.wait_for_status("stopped by hand after iteration")
    ids = np.asarray(Pillow.open(_file(tab.fetched("labels.png"))))
    assert ids.shape == (400, 600)


def _file(content: bytes) -> Any:
    import io

    return io.BytesIO(content)


def test_another_number_merging_and_naming(tab: Tab, folder: Path) -> None:
    tab.take_sample("coffee.png")
    tab.segment()
    tab.page.fill("#cut input[type=number]", "5")
    tab.page.keyboard.press("Enter")
    tab.wait_for_status(": 5 components")
    for chosen in (0, 3):
        tab.page.check(f"#legend input[type=checkbox][data-id='{chosen}']")
    tab.press("Merge selected")
    tab.wait_for_status(": 4 components")
    tab.page.fill("#legend input.segmint-name[data-id='1']", "cup, red")
    tab.page.keyboard.press("Enter")
    tab.wait_for_status(": 4 components, 1 named")
    sent = {name: tab.fetched(name) for name in COMPARED}
    assert b"cup, red" in sent["components.csv"]
    (folder / "coffee.png").write_bytes(sample_path("coffee.png").read_bytes())
    run_lines(tab)
    result = folder / "segmint-out" / "coffee-5"
    assert result.is_dir(), sorted((folder / "segmint-out").iterdir())
    for name, content in sent.items():
        assert content == (result / name).read_bytes(), name
    tab.press("Undo merge")
    tab.wait_for_status(": 5 components")
    assert tab.faults == []


def test_scribbles_by_mouse(tab: Tab, folder: Path) -> None:
    tab.take_sample("coffee.png")
    tab.press("Paint")
    _stroke(tab, (0.45, 0.3), (0.55, 0.35))
    tab.wait_for_status("second area")
    tab.press("Paint area 1")
    _stroke(tab, (0.1, 0.1), (0.1, 0.9))
    tab.wait_for_status("2 components in")
    sent, strokes = tab.fetched("labels.png"), tab.fetched("coffee-scribbles.png")
    (folder / "coffee.png").write_bytes(sample_path("coffee.png").read_bytes())
    (folder / "scribbles.png").write_bytes(strokes)
    assert command_line(["segment", "coffee.png", "--scribbles", "scribbles.png"]) == 0
    assert sent == (folder / "segmint-out" / "coffee" / "labels.png").read_bytes()
    marks = np.asarray(Pillow.open(folder / "scribbles.png"))
    labels = read_labels(folder / "segmint-out" / "coffee" / "labels.png")
    assert set(np.unique(marks)) == {0, 1, 255}
    assert (labels[marks < 255] == marks[marks < 255]).all()
    assert tab.faults == []


def _stroke(tab: Tab, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Paint between two places of the picture, as shares of its sides."""
    box = tab.page.locator(".segmint-strokes").bounding_box()
    mouse = tab.page.mouse
    x, y = (box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    mouse.move(x, y)
    mouse.down()
    mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=8)
    mouse.up()


def test_a_trained_run(tab: Tab, runs: Path, cell_photo: Path, folder: Path) -> None:
    tab.send(cell_photo)
    tab.page.get_by_role("tab", name="I have a trained run").click()
    tab.choose("run", "cells")
    tab.segment()
    sent = tab.fetched("labels.png")
    assert command_line(["predict", str(runs / "cells"), str(cell_photo), "--out", "out"]) == 0
    assert sent == (folder / "out" / cell_photo.stem / "labels.png").read_bytes()
    assert tab.page.locator("#legend tbody tr").count() >= 2
    box = tab.page.locator(".segmint-stage").bounding_box()
    with tab.page.expect_response("**/probabilities/**") as answer:
        tab.page.mouse.move(box["x"] + box["width"] / 2 + 5, box["y"] + box["height"] / 2 + 40)
    assert sum(answer.value.json()["probabilities"]) == pytest.approx(1, abs=2e-3)
    tab.choose("run", "peers")
    tab.choose("peer", "ensemble")
    tab.page.locator("#doors").get_by_text("More options").last.click()
    tab.page.check("#option-run-uncertainty input")
    tab.segment()
    assert len(tab.fetched("uncertainty.png")) > 100
    assert tab.faults == []


def test_stacks_have_slices(tab: Tab) -> None:
    stack = next(each for each in samples() if each.name.endswith((".tif", ".tiff")))
    tab.take_sample(stack.name)
    assert "slices" in tab.status
    tab.segment()
    slider = tab.page.locator(".segmint-slices input[type=range]")
    with tab.page.expect_response("**/labels-0000.png"):
        slider.fill("0")
    assert tab.faults == []


def test_several_images_as_one_file(tab: Tab, folder: Path) -> None:
    import zipfile

    for name in ("coffee.png", "coins.png"):
        tab.take_sample(name)
    tab.choose("method", "felzenszwalb")
    tab.page.click("#segment-all")
    tab.wait_for_status("2 of 2 images are done")
    archive = zipfile.ZipFile(_file(tab.fetched("results.zip")))
    assert {"coffee/labels.png", "coins/labels.png"} <= set(archive.namelist())
    (folder / "coins.png").write_bytes(sample_path("coins.png").read_bytes())
    assert command_line(["segment", "coins.png", "--method", "felzenszwalb"]) == 0
    expected = (folder / "segmint-out" / "coins" / "labels.png").read_bytes()
    assert archive.read("coins/labels.png") == expected


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.png", b"hello", "notes.png is not an image but text"),
        ("empty.png", b"", "is empty"),
        ("<b>.png", b"\x89PNG\r\n\x1a\n broken", "b"),
    ],
)
def test_bad_files_are_told(
    name: str, content: bytes, words: str, tab: Tab, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    tab.page.set_input_files("#uploader input[type=file]", str(path))
    told = tab.page.locator("#uploader [role=alert]")
    told.wait_for()
    assert words in told.inner_text()
    assert str(tmp_path) not in told.inner_text()
    assert "/tmp" not in told.inner_text()
    tab.take_sample("coffee.png")  # the page goes on


def test_errors_are_the_sentences_of_the_command_line(
    tab: Tab, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tab.take_sample("coffee.png")
    tab.page.fill("#option-hybrid-components :is(input, textarea)", "100000")
    tab.page.click("#segment")
    tab.page.wait_for_selector("#status .failed")
    (folder / "coffee.png").write_bytes(sample_path("coffee.png").read_bytes())
    assert command_line(["segment", "coffee.png", "--components", "100000"]) == 2
    assert f"segmint: {tab.status}" in capsys.readouterr().err


def test_nothing_comes_from_elsewhere(tab: Tab) -> None:
    tab.take_sample("coffee.png")
    tab.segment()
    own = tab.page.url.rstrip("/")
    assert [url for url in tab.asked if not url.startswith((own, "data:", "blob:"))] == []
    assert tab.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_screen_on_a_laptop(open_tab: Callable[..., Tab], scheme: str) -> None:
    tab = open_tab(color_scheme=scheme)
    tab.take_sample("coffee.png")
    tab.segment()
    assert tab.page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in ("#segment", ".segmint-stage", "#cut", "#legend"):
        box = tab.page.locator(button).bounding_box()
        assert box["y"] >= 0
        assert box["y"] < 768
    is_dark = tab.page.evaluate("document.body.classList.contains('dark')")
    assert is_dark == (scheme == "dark")


def test_a_phone(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(390, 844, has_touch=True, is_mobile=True, device_scale_factor=2)
    tab.take_sample("coffee.png")
    tab.segment()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.page.locator(".segmint-stage").bounding_box()["width"] > 300
    assert tab.faults == []


def test_every_control_has_a_name(tab: Tab) -> None:
    tab.take_sample("coffee.png")
    tab.segment()
    unnamed = tab.page.evaluate(
        """() => [...document.querySelectorAll("input, textarea, select, button")]
        .filter(each => each.offsetParent && each.type !== "hidden")
        .filter(each => !(each.labels?.length || each.ariaLabel || each.title
          || each.getAttribute("aria-labelledby") || each.innerText?.trim()))
        .map(each => each.outerHTML.slice(0, 200))"""
    )
    assert unnamed == []


def test_keyboard_alone(tab: Tab) -> None:
    tab.page.locator(".sample").first.focus()
    tab.page.keyboard.press("Enter")
    tab.wait_for_status("pixels")
    tab.page.locator("#segment").focus()
    tab.page.keyboard.press("Enter")
    tab.wait_for_status(" in ")
    edge = tab.page.get_by_role("slider", name="Edge between picture and result")
    edge.focus()
    before = edge.get_attribute("aria-valuenow")
    tab.page.keyboard.press("ArrowLeft")
    assert edge.get_attribute("aria-valuenow") != before


def test_large_images_begin_with_a_preview(browser: Any, folder: Path) -> None:
    generator = np.random.default_rng(0)
    areas = np.kron([[40, 90, 140], [190, 240, 20]], np.ones((700, 500))).astype(np.uint8)
    pixels = areas + generator.integers(0, 12, areas.shape, dtype=np.uint8)
    tifffile.imwrite(folder / "scene.tif", pixels, tile=(256, 256))
    with started("--max-whole", "500000") as server:
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        tab = Tab(context.new_page(), server.address)
        tab.send(folder / "scene.tif")
        assert "large" in tab.status
        tab.choose("method", "em-gmm")
        tab.page.fill("#option-em-gmm-components :is(input, textarea)", "3")
        tab.page.click("#segment")
        tab.page.wait_for_selector(".segmint-badge:has-text('preview')")
        tab.wait_for_status("3 components in")
        sent = tab.fetched("labels.tif")
        line = tab.lines("On the command line")
        assert "--stream tiff" in line
        run_lines(tab)
        context.close()
    again = read_labels(folder / "segmint-out" / "scene" / "labels.tif")
    (folder / "sent.tif").write_bytes(sent)
    assert (read_labels(folder / "sent.tif") == again).all()
    assert tab.faults == []
