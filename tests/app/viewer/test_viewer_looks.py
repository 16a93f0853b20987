"""How it looks and feels: contrast, labels, widths, sizes of what is touched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from viewer_site import STATIC, Site, Tab

PHONE = 390
LEAST_CONTRAST = 4.5
"""Of text on its ground, WCAG 2.2, success criterion 1.4.3."""

FIND_FAINT_TEXT = """least => {
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
  const written = [...document.querySelectorAll("main *")].filter(each =>
    each.checkVisibility() && (each.matches("input[type=text], select")
      || [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())));
  return written.map(each => {
    const [light, dark] = [
      luminance(parse(getComputedStyle(each).color)), luminance(ground(each)),
    ].sort((a, b) => b - a);
    return [(light + 0.05) / (dark + 0.05), each.className, each.textContent];
  }).filter(([contrast]) => contrast < least);
}"""

FIND_UNLABELLED = """() => [...document.querySelectorAll(
  "main :is(input, select, button, [role=slider])")]
  .filter(each => {
    const told = [each.getAttribute("aria-label"), each.textContent,
      ...[...(each.labels ?? [])].map(label => label.innerText)];
    return !told.some(text => text && text.trim());
  }).map(each => each.outerHTML)"""

FIND_SMALL = """least => [...document.querySelectorAll(
  "main :is(button, select, .segmint-button, .segmint-drop, .segmint-check label)")]
  .filter(each => each.checkVisibility())
  .map(each => [each.getBoundingClientRect(), each.outerHTML])
  .filter(([box]) => box.width < least || box.height < least)"""


def _everything(tab: Tab, site: Site, value: dict[str, Any], mode: str) -> None:
    """Show as much at once as there is."""
    shares = b'{"probabilities": [0.1, 0.7, 0.1, 0.05, 0.05]}'
    site.files["/segmint/desks/d/1/probabilities/1"] = shares
    thumbnail = "/segmint/desks/d/1/views/0/picture-0000.png"
    pictures = [
        {
            "picture": number,
            "name": f"{'long ' * 20}{number}.png",
            "width": 1200,
            "height": 800,
            "slices": 1,
            "done": True,
            "thumbnail": thumbnail,
        }
        for number in (1, 2)
    ]
    named = [row | {"name": "long " * 12} for row in value["legend"]]
    maps = [{"name": "entropy", "title": "Entropy", "unit": "bits", "low": 0, "high": 1.6}]
    full = value | {"legend": named, "maps": maps, "has_probabilities": True, "mode": mode}
    site.answer = lambda path, body: (400, {"error": "long " * 30})
    tab.give({"desk": "d", "picture": 1, "pictures": pictures}, to=("uploader",))
    tab.give(full | {"preview": True, "busy": True})
    file = {"name": "bad.png", "mimeType": "", "buffer": b"0"}
    tab.page.locator("input[type=file][multiple]").set_input_files([file])
    tab.page.locator(".segmint-stage").scroll_into_view_if_needed()
    tab.page.mouse.move(*tab.at(20.5, 30.5))
    tab.page.locator(".segmint-legend input[type=checkbox][data-id='1']").check()
    tab.arrive()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("mode", ["pick", "paint"])
def test_text_stands_out_and_inputs_are_labelled(
    dark: bool, mode: str, tab: Tab, site: Site, value: dict[str, Any]
) -> None:
    if dark:
        tab.page.evaluate("document.body.classList.add('dark')")
    _everything(tab, site, value, mode)
    assert tab.page.evaluate(FIND_FAINT_TEXT, LEAST_CONTRAST) == []
    assert tab.page.evaluate(FIND_UNLABELLED) == []


@pytest.mark.parametrize("mode", ["pick", "paint"])
def test_a_phone_is_wide_enough(
    mode: str, open_tab: Callable[..., Tab], site: Site, value: dict[str, Any]
) -> None:
    tab = open_tab(PHONE, 844, has_touch=True)
    _everything(tab, site, value, mode)
    assert tab.page.evaluate("document.documentElement.scrollWidth") == PHONE
    assert tab.page.locator(".segmint-stage").bounding_box()["width"] >= 0.9 * PHONE
    assert tab.page.evaluate(FIND_SMALL, 40) == []


@pytest.mark.parametrize("mode", ["pick", "paint"])
def test_a_laptop_needs_no_scrolling(
    mode: str, tab: Tab, site: Site, value: dict[str, Any]
) -> None:
    _everything(tab, site, value, mode)
    height = "document.documentElement.scrollHeight"
    assert tab.page.evaluate(height) == 768
    viewer = tab.page.locator(".segmint-viewer").bounding_box()
    readout = tab.page.locator(".segmint-readout").bounding_box()
    assert readout["y"] + readout["height"] <= viewer["y"] + viewer["height"] + 0.5
    assert tab.page.locator(".segmint-stage").bounding_box()["height"] > 380


def test_every_control_is_reached_by_keys_and_shows_its_focus(tab: Tab) -> None:
    tab.page.locator("body").focus()
    reached = []
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        reached.append(
            tab.page.evaluate(
                """() => {
                  const each = document.activeElement;
                  const shows = [each, each.closest(".segmint-drop, .segmint-button")].some(
                    one => one && [null, "::after"].some(
                      part => getComputedStyle(one, part).outlineStyle !== "none"));
                  return [each.getAttribute("aria-label") ?? each.textContent, shows];
                }"""
            )
        )
    names = [name for name, _ in reached]
    for name in ("Look", "Pick", "Outlines", "Edge between picture and result", "Zoom in"):
        assert name in names
    assert [name for name, shows in reached if not shows and name and len(name) < 60] == []


def test_nothing_moves_where_that_is_not_wanted(
    open_tab: Callable[..., Tab], value: dict[str, Any]
) -> None:
    tab = open_tab(reduced_motion="reduce")
    tab.give(value | {"busy": True})
    moving = "getComputedStyle(document.querySelector('.segmint-progress'), '::before')"
    assert tab.page.evaluate(f"{moving}.animationName") == "none"


def test_scripts_make_no_markup_of_data_and_name_no_other_host() -> None:
    for path in STATIC.iterdir():
        if not path.name.endswith((".js", ".css")):
            continue
        text = path.read_text("utf-8")
        for forbidden in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            "http:",
            "https:",
        ):
            assert forbidden not in text, path.name


def test_every_script_is_listed() -> None:
    listed = (STATIC / "scripts.txt").read_text("utf-8").split()
    assert len(set(listed)) == len(listed)
    assert all((STATIC / name).is_file() for name in listed)
