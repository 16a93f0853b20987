"""The list of components and the picture: selected, named and merged together."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from viewer_site import FAR, Tab


def _selected(tab: Tab) -> list[int]:
    rows = tab.page.locator(".segmint-legend tr.segmint-selected")
    found: list[int] = rows.evaluate_all("all => all.map(each => Number(each.dataset.id))")
    checked = tab.page.locator(".segmint-legend input:checked")
    assert checked.count() == len(found)
    return found


def test_clicks_select_in_picture_and_list(tab: Tab) -> None:
    tab.press("Pick")
    tab.click(20, 30)
    tab.click(100, 30)
    assert tab.events("select") == [{"ids": [0]}, {"ids": [0, FAR]}]
    assert _selected(tab) == [0, FAR]
    tab.click(20, 30)
    tab.click(20, 75)  # outside the region is no component
    assert _selected(tab) == [FAR]
    tab.page.get_by_label("Select component 1", exact=True).check()
    assert tab.events("select")[-1] == {"ids": [1, FAR]}
    tab.settle()
    assert tab.pixel(".segmint-selection", 40.1, 30)[3] > 0
    assert tab.pixel(".segmint-selection", 20, 30)[3] == 0
    tab.page.keyboard.press("Tab")
    tab.page.locator(".segmint-stage").focus()
    tab.page.keyboard.press("Escape")
    assert _selected(tab) == []
    assert tab.events("select")[-1] == {"ids": []}


def test_a_drag_does_not_pick(tab: Tab) -> None:
    tab.press("Pick")
    tab.page.mouse.move(*tab.at(20, 30))
    tab.page.mouse.down()
    tab.page.mouse.move(*tab.at(30, 35), steps=3)
    tab.page.mouse.up()
    assert tab.events("select") == []


def test_keys_pick_what_lies_under_the_crosshair(tab: Tab) -> None:
    tab.press("Pick")
    tab.page.locator(".segmint-stage").focus()
    tab.page.keyboard.press("ArrowUp")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Space")
    assert tab.events("select") == [{"ids": [1]}, {"ids": []}]


def test_merging_sends_what_is_selected(tab: Tab, value: dict[str, Any]) -> None:
    merge = tab.page.get_by_role("button", name="Merge selected")
    assert merge.is_disabled()
    tab.page.get_by_label(f"Select component {FAR}").check()
    assert merge.is_disabled()
    tab.page.get_by_label("Select component 0").check()
    merge.click()
    assert tab.events("apply") == [{"merge": [0, FAR]}]
    assert _selected(tab) == []
    tab.press("Undo merge")
    assert tab.events("undo") == [{}]
    tab.give(value | {"can_undo": False, "version": 1})
    assert tab.page.get_by_role("button", name="Undo merge").is_disabled()


def test_what_is_gone_is_no_longer_selected(tab: Tab, value: dict[str, Any]) -> None:
    tab.page.get_by_label("Select component 0").check()
    tab.page.get_by_label("Select component 1", exact=True).check()
    tab.give(value | {"legend": value["legend"][1:]})
    assert _selected(tab) == [1]
    tab.give(value | {"picture": 2, "version": None, "legend": []})
    assert _selected(tab) == []


def test_names_are_sent_once_and_shown_as_text(tab: Tab) -> None:
    name = tab.page.get_by_label("Name of component 1", exact=True)
    name.fill("cup <img src=x>")
    name.press("Enter")
    assert tab.events("edit") == [{"names": {"1": "cup <img src=x>"}}]
    other = tab.page.get_by_label("Name of component 0", exact=True)
    other.fill("nothing")
    other.press("Escape")
    assert other.input_value() == "left"
    tab.page.get_by_label("Name of component 1", exact=True).focus()
    tab.page.locator(".segmint-stage").focus()
    assert len(tab.events("edit")) == 1
    assert tab.page.locator(".segmint-legend img").count() == 0


def test_what_somebody_writes_survives_news(tab: Tab, value: dict[str, Any]) -> None:
    name = tab.page.get_by_label("Name of component 1", exact=True)
    name.focus()
    tab.page.keyboard.type("half a na")
    tab.give(value | {"legend": value["legend"][:2]})
    tab.page.keyboard.type("me")
    assert name.input_value() == "half a name"


def test_a_row_lights_its_component(tab: Tab) -> None:
    tab.page.locator(".segmint-legend tr[data-id='1']").hover()
    tab.settle()
    assert tab.pixel(".segmint-shade", 20, 30)[3] > 0
    assert tab.pixel(".segmint-shade", 60, 30)[3] == 0
    assert tab.pixel(".segmint-hovered", 40.1, 30)[3] > 0
    tab.page.mouse.move(*tab.at(100, 30))
    lit = tab.page.locator(".segmint-legend tr.segmint-lit")
    assert lit.get_attribute("data-id") == str(FAR)
    tab.settle()
    assert tab.pixel(".segmint-shade", 20, 30)[3] == 0


def test_what_cannot_be_changed_offers_no_change(tab: Tab, value: dict[str, Any]) -> None:
    tab.give(value | {"can_change": False, "can_paint": False})
    assert not tab.page.get_by_role("button", name="Merge selected").is_visible()
    assert not tab.page.get_by_role("button", name="Pick").is_visible()

    assert tab.page.locator(".segmint-legend input[type=text]").count() == 0
    assert tab.page.locator(".segmint-legend tbody th").first.inner_text().split() == ["0", "left"]


def test_long_lists_are_drawn_when_asked_for(
    open_tab: Callable[..., Tab], value: dict[str, Any]
) -> None:
    row = value["legend"][0]
    tab = open_tab()
    tab.give(value | {"legend": [row | {"id": number} for number in range(500)]})
    assert tab.page.locator(".segmint-legend tbody tr").count() == 200
    tab.press("Show all 500")
    assert tab.page.locator(".segmint-legend tbody tr").count() == 500
    assert tab.page.evaluate("document.documentElement.scrollHeight") == 768
    assert tab.faults == []
