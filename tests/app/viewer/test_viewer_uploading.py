"""Files on their way to the server, and the list of open pictures."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from viewer_site import Site, Tab

THUMBNAIL = "/segmint/desks/d/1/views/0/picture-0000.png"


def _picture(number: int, name: str) -> dict[str, Any]:
    sizes = {"width": 1200, "height": 800, "slices": 1}
    return {"picture": number, "name": name, **sizes, "done": False, "thumbnail": THUMBNAIL}


@pytest.fixture
def uploader(tab: Tab) -> Tab:
    """The page with two pictures open, the first one shown."""
    pictures = [_picture(1, "photo.png"), _picture(2, "<i>other</i>.tif") | {"slices": 7}]
    tab.give({"desk": "d", "picture": 1, "pictures": pictures}, to=("uploader",))
    return tab


def _choose(tab: Tab, *names: str) -> None:
    files = [{"name": name, "mimeType": "", "buffer": name.encode()} for name in names]
    tab.page.locator("input[type=file][multiple]").set_input_files(files)


def test_files_arrive_and_are_told_of_together(uploader: Tab, site: Site) -> None:
    numbers = {"/segmint/desks/d/pictures?name=a%20%26%20b.png": 7}
    site.answer = lambda path, body: (200, {"picture": numbers.get(path, 8)})
    _choose(uploader, "a & b.png", "c.png")
    uploader.arrive()
    assert sorted(site.posted) == [
        ("/segmint/desks/d/pictures?name=a%20%26%20b.png", b"a & b.png"),
        ("/segmint/desks/d/pictures?name=c.png", b"c.png"),
    ]
    (sent,) = uploader.events("upload")
    assert sorted(sent["pictures"]) == [7, 8]
    assert uploader.page.locator(".segmint-arriving li").count() == 0
    assert uploader.faults == []


def test_two_files_at_most_are_on_their_way(uploader: Tab, site: Site) -> None:
    gate, counting = threading.Event(), threading.Lock()
    running, most = 0, 0

    def answer(path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        nonlocal running, most
        with counting:
            running += 1
            most = max(most, running)
        gate.wait(10)
        with counting:
            running -= 1
        return 200, {"picture": 5}

    site.answer = answer
    _choose(uploader, *(f"{number}.png" for number in range(5)))
    uploader.settle(300)
    assert uploader.page.locator(".segmint-arriving progress").count() == 5
    assert most == 2
    gate.set()
    uploader.arrive()
    assert most == 2
    assert len(site.posted) == 5
    assert len(uploader.events("upload")) == 1


def test_what_is_refused_says_why_beside_its_name(uploader: Tab, site: Site) -> None:
    sentence = "<b>bad.png</b> is not an image but text: choose an image"
    site.answer = lambda path, body: (400, {"error": sentence})
    _choose(uploader, "bad.png")
    uploader.arrive()
    row = uploader.page.locator(".segmint-arriving li")
    assert row.get_by_role("alert").inner_text() == sentence
    assert row.locator(".segmint-picture-name").inner_text() == "bad.png"
    assert uploader.events("upload") == []
    uploader.press("Dismiss")
    assert row.count() == 0


def test_an_answer_that_cannot_be_read_is_said_too(uploader: Tab) -> None:
    uploader.page.route("**/pictures?name=*", lambda route: route.fulfill(status=413, body="no"))
    _choose(uploader, "big.png")
    uploader.arrive()
    assert uploader.page.get_by_role("alert").inner_text() == "The server refused it (413)"


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_files_are_dropped_and_pasted_anywhere(kind: str, uploader: Tab, site: Site) -> None:
    site.answer = lambda path, body: (200, {"picture": 9})
    uploader.page.evaluate(
        """kind => {
          const data = new DataTransfer();
          data.items.add(new File(["pixels"], "new.png", { type: "image/png" }));
          const event = kind === "drop"
            ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
          document.querySelector("#legend").dispatchEvent(event);
        }""",
        kind,
    )
    uploader.arrive()
    assert site.posted == [("/segmint/desks/d/pictures?name=new.png", b"pixels")]
    assert uploader.events("upload") == [{"pictures": [9]}]


def test_open_pictures_are_chosen_and_removed(uploader: Tab) -> None:
    buttons = uploader.page.locator(".segmint-open")
    assert buttons.nth(0).get_attribute("aria-current") == "true"
    assert buttons.nth(1).inner_text().split("\n") == ["<i>other</i>.tif", "1200 × 800 × 7"]  # noqa: RUF001
    buttons.nth(1).click()
    uploader.press("Remove photo.png")
    assert uploader.events("select") == [{"picture": 2}]
    assert uploader.events("clear") == [{"picture": 1}]
    assert uploader.faults == []
