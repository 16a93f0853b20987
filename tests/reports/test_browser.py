"""Reports in a real browser: no errors, no requests, nothing too wide, sliders that move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.datasets.synthetic import write_cells
from segmint.images import read_image
from segmint.methods.segment import segment
from segmint.recipes.run import Run
from segmint.recipes.training import train
from segmint.reports.page import Late, Page, Section, write_page
from segmint.reports.run_report import write_run_report
from segmint.reports.segment_page import Asked, write_segment_page

PAGES = ("run", "peers", "segment")
PHONE, DESK = 390, 1200
WIDTHS = (320, PHONE, 768, DESK)
LEAST_CONTRAST = 4.5
"""Of text on its ground, WCAG 2.2, success criterion 1.4.3."""

SMALL: dict[str, Any] = {
    "dataset": "folder",
    "resize": 0,
    "crop": 32,
    "batch_size": 2,
    "epochs": 2,
    "augmentation": "none",
}

FIND_FAINT_TEXT = """() => {
  const channel = value => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([red, green, blue]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const ground = element => {
    for (let each = element; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || element.closest("script")) continue;
    const style = getComputedStyle(element);
    const ink = parse(element.closest("svg") ? style.fill : style.color);
    const [light, dark] = [luminance(ink), luminance(ground(element))].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < LEAST) faint.push(`${contrast.toFixed(2)}: ${node.textContent.trim()}`);
  }
  return faint;
}""".replace("LEAST", str(LEAST_CONTRAST))

FIND_OVERLAPS = """() => {
  const found = [];
  for (const drawing of document.querySelectorAll(".chart > svg")) {
    const boxes = [...drawing.querySelectorAll("text")].map(
      each => [each.textContent, each.getBoundingClientRect()]);
    boxes.forEach(([name, box], index) => boxes.slice(index + 1).forEach(([other, next]) => {
      const across = Math.min(box.right, next.right) - Math.max(box.left, next.left);
      const down = Math.min(box.bottom, next.bottom) - Math.max(box.top, next.top);
      if (across > 1 && down > 4) found.push(`${name} / ${other}`);
    }));
  }
  return found;
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, cells_run: Run) -> dict[str, Path]:
    """A page of each kind."""
    folder = tmp_path_factory.mktemp("browser")
    write_cells(folder / "data", train=3, val=3, height=64, width=72, cells=5)
    peers = train(
        "mutual",
        folder / "data",
        out=folder / "peers",
        peers=("tiny=unet", "small=unet"),
        peer_options=("tiny.features=2", "tiny.levels=1", "small.features=4", "small.levels=1"),
        **SMALL,
    )
    return {
        "run": write_run_report(cells_run, examples=3, out=folder / "run.html").page,
        "peers": write_run_report(peers, examples=3, out=folder / "peers.html").page,
        "segment": _segmented(folder),
    }


def _segmented(folder: Path) -> Path:
    """The page of four photos, one of them narrow, one with a very long name."""
    generator = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for name, size in (("a", (60, 90)), ("b" * 90, (60, 90)), ("c", (120, 30)), ("d", (9, 90))):
        photo = folder / "photos" / f"{name}.png"
        Pillow.fromarray(generator.integers(0, 256, (*size, 3)).astype(np.uint8)).save(photo)
        image = read_image(photo)
        segment(image, "felzenszwalb").save(folder / "out" / name, image)
    asked = Asked(
        words=("segment", "photos", "--out", "out", "--method", "felzenszwalb"),
        method="felzenszwalb",
        options={"scale": 300.0},
        seed=0,
        failures=(f"photos/{'long ' * 40}.png is not an image but text: remove it",),
        untried=2,
    )
    page = write_segment_page(folder / "out", asked)
    assert page is not None
    return page


@pytest.fixture
def look(browser: Any) -> Iterator[Any]:
    """Open a page as ``look(path, width)``; what went wrong is in ``.faults`` of what it gives."""
    contexts = []

    def open_page(path: Path, width: int = DESK, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        own = path.absolute().as_uri()
        page.on("console", lambda message: page.faults.append(message.text))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("request", lambda asked: _note_request(page, asked.url, own))
        page.goto(own)
        return page

    yield open_page
    for context in contexts:
        context.close()


def _note_request(page: Any, url: str, own: str) -> None:
    if url != own and not url.startswith("data:"):
        page.faults.append(f"request of {url}")


@pytest.mark.parametrize("kind", PAGES)
def test_nothing_goes_wrong_and_nothing_is_asked_for(
    kind: str, pages: dict[str, Path], look: Any
) -> None:
    page = look(pages[kind])
    page.evaluate("document.querySelectorAll('img').forEach(each => each.scrollIntoView())")
    broken = "[...document.images].filter(each => !each.complete || !each.naturalWidth).length"
    assert page.evaluate(broken) == 0
    assert page.faults == []


@pytest.mark.parametrize("kind", PAGES)
def test_nothing_is_wider_than_the_screen(kind: str, pages: dict[str, Path], look: Any) -> None:
    page = look(pages[kind])
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(FIND_OVERLAPS) == []


@pytest.mark.parametrize("kind", PAGES)
def test_text_stands_out_from_its_ground(kind: str, pages: dict[str, Path], look: Any) -> None:
    page = look(pages[kind])
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
        assert page.evaluate(FIND_FAINT_TEXT) == []


@pytest.mark.parametrize("kind", PAGES)
def test_keys_move_the_edge(kind: str, pages: dict[str, Path], look: Any) -> None:
    page = look(pages[kind])
    slider = page.locator(".slider").first
    assert _edge(slider) == pytest.approx(50, abs=0.1)
    slider.locator("input").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert _edge(slider) == pytest.approx(60, abs=0.1)
    page.keyboard.press("Home")
    assert _edge(slider) == pytest.approx(0, abs=0.1)
    page.keyboard.press("End")
    assert _edge(slider) == pytest.approx(100, abs=0.1)
    assert page.locator(".slider").nth(1).evaluate("each => each.style.cssText").count("50%") == 1


def _edge(slider: Any) -> float:
    """Percent of the left picture that is seen, and where the line stands, which must agree."""
    clip = slider.locator("img").first.evaluate("each => getComputedStyle(each).clipPath")
    hidden = clip.removeprefix("inset(").removesuffix(")").split()
    right = hidden[1] if len(hidden) > 1 else hidden[0]
    box, line = slider.locator("img").first.bounding_box(), slider.locator(".edge")
    place = line.evaluate("each => parseFloat(getComputedStyle(each, '::before').left)")
    share = 100 * place / box["width"]
    calculated = 100 - float(right.replace("calc(", "").rstrip("%)").split()[-1])
    assert share == pytest.approx(calculated, abs=0.5)
    return share


def test_mouse_and_finger_move_the_edge(pages: dict[str, Path], look: Any) -> None:
    page = look(pages["run"], PHONE, has_touch=True)
    slider = page.locator(".slider").first
    slider.scroll_into_view_if_needed()
    box = slider.locator(".edge").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], middle, steps=4)
    page.mouse.up()
    assert _edge(slider) == pytest.approx(80, abs=2)
    page.touchscreen.tap(box["x"] + 0.2 * box["width"], middle)
    assert _edge(slider) == pytest.approx(20, abs=2)


def test_without_script_both_pictures_are_seen(pages: dict[str, Path], look: Any) -> None:
    page = look(pages["run"], java_script_enabled=False)
    figure = page.locator("section", has_text="Examples").locator("figure").first
    boxes = [image.bounding_box() for image in figure.locator("img").all()]
    assert len(boxes) == 5  # image, truth, prediction, mistakes, entropy
    places = {(round(box["x"]), round(box["y"])) for box in boxes}
    assert len(places) == len(boxes)
    assert not figure.locator("input").is_visible()


def test_print_shows_both_pictures(pages: dict[str, Path], look: Any) -> None:
    page = look(pages["run"])
    page.emulate_media(media="print")
    slider = page.locator(".slider").first
    clips = slider.locator("img").evaluate_all("all => all.map(x => getComputedStyle(x).clipPath)")
    assert clips == ["none", "none"]
    assert not slider.locator("input").is_visible()


@pytest.mark.parametrize(("after", "shown"), [(0, "nobody writes"), (2**40, "Unfinished")])
def test_a_page_that_nobody_writes_any_more_says_so(
    after: int, shown: str, tmp_path: Path, look: Any
) -> None:
    late = Late(after=after, text="nobody writes")
    told = Page(title="t", lead="l", sections=(Section(title="s"),), notice="Unfinished", late=late)
    page = look(write_page(tmp_path / "page.html", told))
    assert page.locator(".notice").inner_text() == shown
    assert page.faults == []


def test_no_other_script_runs(tmp_path: Path, look: Any) -> None:
    """What somebody adds to a page is refused by its own policy."""
    path = write_page(
        tmp_path / "page.html",
        Page(
            title="t",
            lead="l",
            sections=(Section(title="s"),),
            notice="mine",
            late=Late(after=2**40, text="late"),
        ),
    )
    added = (
        "<script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\">"
    )
    path.write_text(path.read_text().replace("</body>", f"{added}</body>"))
    page = look(path)
    assert page.title() == "t"
    assert any("Content Security Policy" in fault for fault in page.faults)
