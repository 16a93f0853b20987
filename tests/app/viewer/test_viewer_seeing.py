"""The viewer: exact labels, layers, the edge between picture and result, zoom, slices, maps."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segmint.images.palettes import color_of, to_hex

sys.path.insert(0, str(Path(__file__).parent))
from viewer_site import FAR, Site, Tab, labels_png, png, three_areas

DECODE = """async bytes => {
  const found = await segmint.decodeLabels(new Uint8Array(bytes).buffer);
  return [...found.ids];
}"""


def test_every_label_is_read_exactly(tab: Tab) -> None:
    generator = np.random.default_rng(1)
    ids = generator.integers(-1, 2**24 - 1, (37, 53))
    ids[:4] = np.arange(212).reshape(4, 53) * 65_537
    ids[20:] = FAR
    assert tab.page.evaluate(DECODE, list(labels_png(ids))) == ids.ravel().tolist()


@pytest.mark.parametrize("kind", ["L", "P", "1"])
def test_numbers_of_other_files_are_read_exactly(kind: str, tab: Tab) -> None:
    """Grey, and palettes of any number of bits, as scribbles may be."""
    import io

    from PIL import Image as Pillow

    ids = np.random.default_rng(2).integers(0, 2 if kind == "1" else 5, (9, 13)).astype(np.uint8)
    image = Pillow.fromarray(ids)
    if kind == "P":
        image.putpalette([255 - each for each in range(15)])
    if kind == "1":
        image = Pillow.fromarray(ids.astype(bool))
    out = io.BytesIO()
    image.save(out, format="PNG")
    found = tab.page.evaluate(
        "async bytes => [...(await segmint.decodePng(new Uint8Array(bytes).buffer)).data]",
        list(out.getvalue()),
    )
    assert found == ids.ravel().tolist()


def test_colors_without_a_legend_are_those_of_the_project(tab: Tab) -> None:
    found = tab.page.evaluate("Array.from({ length: 300 }, (_, id) => segmint.palette.colorOf(id))")
    assert found == [to_hex(color_of(number)) for number in range(300)]
    assert tab.page.evaluate("segmint.palette.colorOf(-1)") == "#b3b3b3"


def test_areas_have_the_colors_of_the_legend(tab: Tab) -> None:
    assert tab.pixel(".segmint-fill", 20, 40) == [0, 0x72, 0xB2, 255]
    assert tab.pixel(".segmint-fill", 60, 40) == [0xE6, 0x9F, 0, 255]
    assert tab.pixel(".segmint-fill", 100, 40) == [0, 0x9E, 0x73, 255]
    assert tab.pixel(".segmint-fill", 100, 75) == [0xB3, 0xB3, 0xB3, 255]


def test_outlines_stand_where_labels_meet_and_can_be_put_out(tab: Tab) -> None:
    assert tab.pixel(".segmint-outlines", 39.9, 30)[:3] == [255, 255, 255]
    assert tab.pixel(".segmint-outlines", 20, 30)[3] == 0
    tab.press("Outlines")
    assert not tab.page.locator(".segmint-outlines").is_visible()
    assert tab.page.get_by_role("button", name="Outlines").get_attribute("aria-pressed") == "false"


def test_opacity_fades_the_layer_and_paints_nothing(tab: Tab) -> None:
    tab.page.evaluate(
        "CanvasRenderingContext2D.prototype.putImageData = () => { throw Error('painted'); }; 0"
    )
    tab.page.get_by_role("slider", name="Opacity").focus()
    for _ in range(5):
        tab.page.keyboard.press("ArrowRight")
    assert _css(tab, ".segmint-fill", "opacity") == "0.5"
    assert tab.page.locator(".segmint-opacity output").inner_text() == "50 %"
    assert tab.faults == []


def test_keys_move_the_edge(tab: Tab) -> None:
    edge = tab.page.get_by_role("slider", name="Edge between picture and result")
    edge.focus()
    for key, expected in (
        ("ArrowRight", 51),
        ("ArrowLeft", 50),
        ("Shift+ArrowRight", 60),
        ("PageDown", 50),
        ("Home", 0),
        ("End", 100),
    ):
        tab.page.keyboard.press(key)
        assert edge.get_attribute("aria-valuenow") == str(expected)
        assert _seen_share(tab) == pytest.approx(expected, abs=0.2)
    assert edge.get_attribute("aria-valuetext") == "100 % picture"


def test_mouse_moves_the_edge(tab: Tab) -> None:
    tab.page.mouse.move(*tab.at(60, 20))
    tab.page.mouse.down()
    tab.page.mouse.move(*tab.at(30, 20), steps=4)
    tab.page.mouse.up()
    assert _seen_share(tab) == pytest.approx(25, abs=0.5)


def _seen_share(tab: Tab) -> float:
    """Percent of the picture left of where the result begins."""
    clip = _css(tab, ".segmint-result", "clipPath")
    left = float(clip.removesuffix("px)").split()[-1]) if clip != "none" else 0.0
    stage = tab.page.locator(".segmint-stage").bounding_box()
    picture = tab.page.locator(".segmint-picture").bounding_box()
    return 100 * (stage["x"] + left - picture["x"]) / picture["width"] if clip != "none" else 0.0


def _css(tab: Tab, selector: str, name: str) -> str:
    found: str = tab.page.locator(selector).evaluate(f"each => getComputedStyle(each).{name}")
    return found


def test_result_alone_and_picture_alone(tab: Tab) -> None:
    tab.press("Result")
    assert _css(tab, ".segmint-result", "clipPath") == "none"
    assert tab.page.locator(".segmint-fill").is_visible()
    tab.press("Picture")
    assert not tab.page.locator(".segmint-fill").is_visible()
    assert not tab.page.get_by_role("slider", name="Edge").is_visible()


def test_zoom_and_pan_keep_the_picture_in_its_box(tab: Tab) -> None:
    stage = tab.page.locator(".segmint-stage").bounding_box()
    fitted = tab.page.locator(".segmint-picture").bounding_box()
    assert fitted["width"] <= stage["width"] + 0.5
    assert fitted["height"] <= stage["height"] + 0.5
    x, y = tab.at(30, 20)
    tab.page.mouse.move(x, y)
    tab.page.mouse.wheel(0, -400)
    tab.settle()
    assert tab.at(30, 20) == pytest.approx((x, y), abs=1)
    assert tab.page.locator(".segmint-picture").bounding_box()["width"] > 1.5 * fitted["width"]
    tab.page.mouse.down()
    tab.page.mouse.move(x - 50, y - 30, steps=3)
    tab.page.mouse.up()
    assert tab.at(30, 20) == pytest.approx((x - 50, y - 30), abs=1)
    tab.page.locator(".segmint-stage").focus()
    tab.page.keyboard.press("0")
    assert tab.page.locator(".segmint-picture").bounding_box() == pytest.approx(fitted, abs=0.5)
    tab.page.keyboard.press("+")
    tab.page.keyboard.press("-")
    tab.press("Zoom in")
    tab.press("Fit the picture")
    assert tab.page.locator(".segmint-picture").bounding_box() == pytest.approx(fitted, abs=0.5)


def test_readout_says_what_lies_there(tab: Tab) -> None:
    tab.page.mouse.move(*tab.at(20.55, 30.55))
    line = tab.page.locator(".segmint-line")
    assert line.inner_text() == "x 205, y 305 · component 0 · left · 29.2 % of the area"
    tab.page.mouse.move(*tab.at(100.55, 30.55))
    assert line.inner_text() == (
        f"x 1005, y 305 · component {FAR} · <b>right</b> · 29.2 % of the area"
    )
    tab.page.mouse.move(*tab.at(100.55, 75.55))
    assert line.inner_text() == "x 1005, y 755 · outside the region"


def test_keys_move_a_crosshair_pixel_by_pixel(tab: Tab) -> None:
    tab.page.locator(".segmint-stage").focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "Shift+ArrowUp", "ArrowDown"):
        tab.page.keyboard.press(key)
    assert tab.page.locator(".segmint-line").inner_text().startswith("x 611, y 391 · component 1")
    spoken = tab.page.locator("[aria-live=polite]")
    assert spoken.text_content() == ""
    tab.settle(600)
    assert spoken.text_content() == tab.page.locator(".segmint-line").inner_text()


def test_probabilities_of_a_pixel_are_asked_for_once_it_rests(
    tab: Tab, site: Site, value: dict[str, Any]
) -> None:
    shares = [0.05, 0.6, 0.0, 0.1, 0.2, 0.04, 0.01]
    site.files["/segmint/desks/d/1/probabilities/1"] = (
        b'{"probabilities": ' + str(shares).encode() + b"}"
    )
    tab.give(value | {"has_probabilities": True})
    site.asked.clear()
    # In one go, so that the pointer never rests between them, however slow the machine is.
    tab.page.evaluate(
        """points => {
            const stage = document.querySelector(".segmint-stage");
            for (const [clientX, clientY] of points) stage.dispatchEvent(new PointerEvent(
                "pointermove", { clientX, clientY, pointerType: "mouse", bubbles: true }));
        }""",
        [tab.at(x + 0.5, 30.5) for x in range(10, 21)],
    )
    tab.page.wait_for_selector(".segmint-probabilities li")
    tab.settle()
    asked = [each for each in site.asked if "probabilities" in each]
    assert asked == ["/segmint/desks/d/1/probabilities/1?x=20&y=30&slice=0"]
    bars = tab.page.locator(".segmint-probabilities li")
    assert bars.all_inner_texts()[:3] == [
        "component 1\n60.0 %",
        "component 4\n20.0 %",
        "component 3\n10.0 %",
    ]
    assert bars.count() == 5
    assert tab.faults == []


def test_a_map_takes_the_place_of_the_labels(tab: Tab, site: Site, value: dict[str, Any]) -> None:
    site.view(1, 1, "map-entropy-0000", png(np.full((80, 120, 3), 77, np.uint8)))
    told = {"name": "entropy", "title": "Entropy", "unit": "bits", "low": 0, "high": 1.58496}
    tab.give(value | {"maps": [told]})
    tab.page.get_by_label("Layer").select_option("Entropy")
    tab.page.wait_for_selector(".segmint-scale")
    assert tab.pixel(".segmint-map", 60, 40) == [77, 77, 77, 255]
    assert not tab.page.locator(".segmint-fill").is_visible()
    assert tab.page.locator(".segmint-scale").inner_text().split("\n") == [
        "Entropy",
        "0",
        "1.58 bits",
    ]
    tab.give(value)
    assert tab.page.locator(".segmint-fill").is_visible()
    assert tab.faults == []


def test_slices_are_chosen_by_a_slider_and_fetched_ahead(
    open_tab: Callable[..., Tab], site: Site, value: dict[str, Any]
) -> None:
    for index in range(5):
        site.view(3, 0, f"picture-{index:04d}", png(np.full((80, 120, 3), 40 * index, np.uint8)))
        site.view(3, 1, f"labels-{index:04d}", labels_png(three_areas() + index))
    tab = open_tab()
    tab.give(value | {"picture": 3, "slices": 5, "slice": 2, "can_paint": False})
    assert tab.pixel(".segmint-picture", 60, 40)[0] == 80
    assert sum("views/0/picture-000" in each for each in site.asked) == 3
    slider = tab.page.get_by_role("slider", name="Slice")
    assert slider.get_attribute("aria-valuetext") == "3 of 5"
    slider.focus()
    tab.page.keyboard.press("ArrowRight")
    tab.settle()
    assert tab.pixel(".segmint-picture", 60, 40)[0] == 120
    assert tab.page.locator(".segmint-slices output").inner_text() == "4 of 5"
    tab.page.keyboard.press("End")
    tab.settle()
    assert tab.pixel(".segmint-picture", 60, 40)[0] == 160
    assert tab.page.get_by_role("button", name="Paint").count() == 0
    assert tab.faults == []


def test_frames_are_drawn_while_a_method_learns(tab: Tab, value: dict[str, Any]) -> None:
    labels = base64.b64encode(labels_png(np.full((80, 120), 3))).decode()
    frame = {"labels": f"data:image/png;base64,{labels}", "text": "iteration 12 of 60"}
    tab.give(value | {"version": None, "legend": [], "frame": frame, "busy": True})
    assert tab.page.locator(".segmint-badge").inner_text() == "iteration 12 of 60"
    assert tab.page.locator(".segmint-progress").is_visible()
    assert tab.pixel(".segmint-fill", 20, 40) == [*color_of(3), 255]
    tab.give(value)
    assert not tab.page.locator(".segmint-badge").is_visible()
    assert tab.pixel(".segmint-fill", 20, 40) == [*color_of(0), 255]
    assert tab.faults == []


def test_what_the_server_forgot_is_said(tab: Tab, value: dict[str, Any]) -> None:
    tab.give(value | {"picture": 9})
    fault = tab.page.get_by_role("alert").filter(has_text="The server")
    assert fault.inner_text() == "The server no longer has this image: open it again"
    tab.give(value | {"picture": 2, "version": None})
    assert not fault.is_visible()


def test_nothing_open_is_no_error(tab: Tab) -> None:
    tab.give({"desk": "d", "picture": None, "busy": False})
    assert tab.page.locator(".segmint-empty").is_visible()
    assert tab.pixel(".segmint-fill", 20, 40)[3] == 0
    assert tab.faults == []
