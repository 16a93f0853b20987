"""Strokes: by mouse, finger and keys, in native pixels wherever the picture stands."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from viewer_site import Site, Tab, png

ORANGE = [0xE6, 0x9F, 0, 255]
ERASER = 255


@pytest.fixture
def painting(tab: Tab) -> Tab:
    """The page with the brushes out."""
    tab.press("Paint")
    return tab


def _drag(tab: Tab, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A stroke of the mouse between two points of the view."""
    tab.page.mouse.move(*tab.at(*start))
    tab.page.mouse.down()
    tab.page.mouse.move(*tab.at(*end), steps=6)
    tab.page.mouse.up()
    tab.settle(160)


def _strokes(tab: Tab) -> list[dict[str, Any]]:
    """What was last sent."""
    found: list[dict[str, Any]] = tab.events("input")[-1]["strokes"]
    return found


def _is_line(stroke: dict[str, Any], start: tuple[float, float], end: tuple[float, float]) -> bool:
    """Whether a stroke runs straight between two points of the view; native is ten times it."""
    points = np.array(stroke["points"])
    first, last = 10 * np.array(start), 10 * np.array(end)
    across = last - first
    off = np.abs((points - first) @ [-across[1], across[0]]) / np.linalg.norm(across)
    return bool(
        np.abs(points[0] - first).max() < 3
        and np.abs(points[-1] - last).max() < 30
        and off.max() < 3
    )


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("zoomed", [False, True])
def test_strokes_are_in_native_pixels(
    ratio: int, zoomed: bool, open_tab: Callable[..., Tab], value: dict[str, Any]
) -> None:
    tab = open_tab(device_scale_factor=ratio)
    tab.give(value)
    tab.press("Paint")
    tab.press("Paint area 1")
    if zoomed:
        tab.page.mouse.move(*tab.at(30, 20))
        tab.page.mouse.wheel(0, -500)
        tab.settle()
    _drag(tab, (20, 15), (35, 30))
    (stroke,) = _strokes(tab)
    assert stroke["id"] == 1
    assert stroke["width"] == 20
    assert _is_line(stroke, (20, 15), (35, 30))
    assert tab.pixel(".segmint-strokes", 27.5, 22.5) == ORANGE
    assert tab.events("input")[-1]["picture"] == 1
    assert tab.events("input")[-1]["base"] is False
    assert tab.faults == []


def test_undo_redo_and_clear(painting: Tab) -> None:
    _drag(painting, (20, 15), (35, 30))
    painting.press("Paint area 2")
    _drag(painting, (70, 15), (90, 15))
    assert [each["id"] for each in _strokes(painting)] == [0, 2]
    painting.press("Undo")
    painting.settle(160)
    assert [each["id"] for each in _strokes(painting)] == [0]
    assert painting.pixel(".segmint-strokes", 80, 15)[3] == 0
    painting.page.keyboard.press("Control+z")
    painting.settle(160)
    assert _strokes(painting) == []
    painting.page.keyboard.press("Control+Shift+z")
    painting.press("Redo")
    painting.settle(160)
    assert [each["id"] for each in _strokes(painting)] == [0, 2]
    assert painting.page.get_by_role("button", name="Redo").is_disabled()
    painting.press("Clear")
    painting.settle(160)
    assert _strokes(painting) == []
    painting.press("Undo")
    painting.settle(160)
    assert [each["id"] for each in _strokes(painting)] == [0, 2]
    assert painting.pixel(".segmint-strokes", 80, 15) == [0, 0x9E, 0x73, 255]


def test_changes_that_follow_quickly_are_sent_once(painting: Tab) -> None:
    _drag(painting, (20, 15), (35, 30))
    sent = len(painting.events("input"))
    painting.page.evaluate(
        "for (let i = 0; i < 3; i++) for (const name of ['Undo', 'Redo'])"
        "[...document.querySelectorAll('button')]"
        ".find(each => each.textContent === name).click()"
    )
    painting.settle(200)
    assert len(painting.events("input")) == sent + 1


def test_the_eraser_takes_away(painting: Tab) -> None:
    _drag(painting, (20, 40), (60, 40))
    painting.press("Eraser")
    _drag(painting, (40, 30), (40, 50))
    assert _strokes(painting)[-1]["id"] == ERASER
    assert painting.pixel(".segmint-strokes", 40, 40)[3] == 0
    assert painting.pixel(".segmint-strokes", 30, 40)[3] == 255


def test_width_and_areas_are_chosen(painting: Tab) -> None:
    painting.page.get_by_role("slider", name="Brush width").fill("50")
    for _ in range(12):
        painting.press("Add area")
    assert not painting.page.get_by_role("button", name="Add area").is_visible()
    assert painting.page.locator(".segmint-brush").count() == 20
    painting.page.get_by_label("Name of area 19").fill("cup")
    painting.page.get_by_label("Name of area 19").press("Enter")
    _drag(painting, (20, 15), (35, 30))
    assert [(each["id"], each["width"]) for each in _strokes(painting)] == [(19, 50)]
    assert painting.events("input")[-1]["names"] == {"19": "cup"}
    assert painting.page.get_by_role("button", name="Paint cup").count() == 1


def test_a_dot_is_a_stroke_and_space_moves_the_picture(painting: Tab) -> None:
    painting.click(60, 40)
    painting.settle(160)
    assert _strokes(painting)[0]["points"] == [pytest.approx([600, 400], abs=2)]
    painting.page.locator(".segmint-stage").focus()
    painting.page.keyboard.press("+")
    before = painting.at(60, 40)
    painting.page.keyboard.down(" ")
    painting.page.mouse.down()
    painting.page.mouse.move(before[0] + 30, before[1], steps=3)
    painting.page.mouse.up()
    painting.page.keyboard.up(" ")
    painting.settle(160)
    assert painting.at(60, 40)[0] == pytest.approx(before[0] + 30, abs=1)
    assert len(_strokes(painting)) == 1


def test_keys_put_the_brush_down_and_up(painting: Tab) -> None:
    painting.page.locator(".segmint-stage").focus()
    keys = ("ArrowLeft", "Enter", *["Shift+ArrowRight"] * 3, "ArrowDown", "Space", "ArrowDown")
    for key in keys:
        painting.page.keyboard.press(key)
    painting.settle(160)
    (stroke,) = _strokes(painting)
    assert stroke["points"][0] == [599.5, 400.5]
    assert [629.5, 400.5] in stroke["points"]
    painting.page.keyboard.press("Enter")
    painting.page.keyboard.press("Shift+ArrowUp")
    painting.page.keyboard.press("Escape")  # never mind
    painting.settle(160)
    assert len(_strokes(painting)) == 1


def _touch(client: Any, kind: str, *points: tuple[float, float]) -> None:
    touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def test_a_finger_paints_and_two_zoom(open_tab: Callable[..., Tab], value: dict[str, Any]) -> None:
    tab = open_tab(390, 844, has_touch=True, device_scale_factor=2)
    tab.give(value)
    tab.press("Paint")
    tab.page.locator(".segmint-stage").scroll_into_view_if_needed()
    client = tab.page.context.new_cdp_session(tab.page)
    _touch(client, "touchStart", tab.at(20, 15))
    for step in range(1, 7):
        _touch(client, "touchMove", tab.at(20 + 5 * step, 15 + 5 * step))
    _touch(client, "touchEnd")
    tab.settle(160)
    (stroke,) = _strokes(tab)
    assert _is_line(stroke, (20, 15), (50, 45))
    before = tab.page.locator(".segmint-picture").bounding_box()["width"]
    middle = tab.at(60, 40)
    _touch(client, "touchStart", (middle[0] - 20, middle[1]))
    _touch(client, "touchStart", (middle[0] - 20, middle[1]), (middle[0] + 20, middle[1]))
    for step in range(1, 5):
        apart = 20 + 10 * step
        _touch(client, "touchMove", (middle[0] - apart, middle[1]), (middle[0] + apart, middle[1]))
    _touch(client, "touchEnd")
    tab.settle(160)
    after = tab.page.locator(".segmint-picture").bounding_box()["width"]
    assert after == pytest.approx(3 * before, rel=0.05)
    assert len(_strokes(tab)) == 1
    assert tab.faults == []


def test_what_the_server_has_is_taken_for_another_picture_only(
    painting: Tab, value: dict[str, Any]
) -> None:
    _drag(painting, (20, 15), (35, 30))
    painting.give(value | {"busy": True})
    assert painting.pixel(".segmint-strokes", 27.5, 22.5)[3] == 255
    kept = {"id": 1, "width": 30, "points": [[500, 600], [800, 600]]}
    other = {"strokes": [kept], "base": None, "names": {"1": "cup"}}
    painting.give(value | {"picture": 2, "version": None, "scribbles": other})
    assert painting.pixel(".segmint-strokes", 27.5, 22.5)[3] == 0
    assert painting.pixel(".segmint-strokes", 65, 60) == ORANGE
    assert painting.page.get_by_label("Name of area 1").input_value() == "cup"
    assert painting.page.get_by_role("button", name="Undo", exact=True).is_disabled()


def test_scribbles_are_saved_and_loaded(painting: Tab, site: Site) -> None:
    link = painting.page.get_by_role("link", name="Save")
    assert link.get_attribute("href") == "/segmint/desks/d/1/scribbles.png"
    ids = np.full((800, 1200), 255, np.uint8)
    ids[100:200, 100:300] = 1
    content = png(ids)
    site.answer = lambda path, body: (200, {"base": True})
    _drag(painting, (70, 60), (90, 60))
    _load(painting, content)
    assert site.posted == [("/segmint/desks/d/1/scribbles", content)]
    assert painting.events("input")[-1]["strokes"] == []
    assert painting.events("input")[-1]["base"] is True
    assert painting.pixel(".segmint-strokes", 20, 15) == ORANGE
    assert painting.pixel(".segmint-strokes", 80, 60)[3] == 0
    painting.press("Clear")
    painting.settle(160)
    assert painting.events("input")[-1]["base"] is False
    assert painting.pixel(".segmint-strokes", 20, 15)[3] == 0
    assert painting.faults == []


def test_loaded_scribbles_bring_their_brushes(painting: Tab, site: Site) -> None:
    ids = np.full((800, 1200), 255, np.uint8)
    ids[100:200, 100:300] = 11
    site.answer = lambda path, body: (200, {"base": True})
    assert painting.page.locator(".segmint-brush").count() == 8
    _load(painting, png(ids))
    painting.page.wait_for_selector("[aria-label='Paint area 11']")
    assert painting.page.locator(".segmint-brush").count() == 12


def test_who_paints_sees_all_of_the_result(painting: Tab) -> None:
    shown = painting.page.get_by_role("group", name="What is shown")
    pressed = shown.locator("[aria-pressed=true]")
    assert pressed.inner_text() == "Result"
    painting.press("Look")
    assert pressed.inner_text() == "Compare"
    painting.press("Paint")
    painting.press("Picture")
    painting.press("Look")
    painting.press("Paint")
    assert pressed.inner_text() == "Picture"


def test_a_file_of_scribbles_that_is_refused_is_said(painting: Tab, site: Site) -> None:
    site.answer = lambda path, body: (200, {"error": "scribbles.png holds id 300: paint again"})
    _load(painting, b"nothing")
    assert (
        painting.page.get_by_role("alert").inner_text() == "scribbles.png holds id 300: paint again"
    )
    assert painting.events("input") == []


def _load(tab: Tab, content: bytes) -> None:
    file = {"name": "scribbles.png", "mimeType": "image/png", "buffer": content}
    tab.page.get_by_label("Load").set_input_files([file])
    tab.arrive()
    tab.settle(200)
