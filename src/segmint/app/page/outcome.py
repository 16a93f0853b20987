"""What can be taken away: files, the lines that do the same again, and notes."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from segmint.app.page.lines import command_lines, python_lines
from segmint.app.page.wishes import scribbles_name
from segmint.app.sizes import shown_size

if TYPE_CHECKING:
    from segmint.app.desks.desk import Desk, Picture
    from segmint.app.setting import Setting

_WHAT = {
    "labels": "label map",
    "overlay.png": "overlay",
    "components.csv": "components as a table",
    "result.json": "options, versions, notes",
    "hierarchy.npz": "merge tree",
    "mixture.csv": "weights, means, variances",
    "history.png": "how it was learned",
    "probabilities": "probability of each class",
    "entropy": "how undecided each pixel is",
    "uncertainty": "where networks disagree",
    "panels.png": "channels side by side",
}
_NOTHING_YET = (
    '<p class="soft">Files, and commands that do the same, appear here after the first result.</p>'
)


def outcome_html(desk: Desk, setting: Setting) -> str:
    """Files, lines and notes of the picture that is shown."""
    picture = desk.picture
    if picture is None or picture.answer is None:
        return _NOTHING_YET
    parts = [_files(desk, picture), _lines(picture, setting), _notes(picture)]
    return "".join(parts)


def _files(desk: Desk, picture: Picture) -> str:
    assert picture.answer is not None
    place = f"/segmint/desks/{desk.id}/{picture.number}/files"
    version = picture.answer.version
    rows = [
        _link(f"{place}/{file['name']}?v={version}", file["name"], _described(file))
        for file in picture.answer.facts["files"]
    ]
    if picture.scribbles.exists():
        address = f"/segmint/desks/{desk.id}/{picture.number}/scribbles.png?v={version}"
        rows.append(_link(address, scribbles_name(picture), "strokes, for --scribbles"))
    done = sum(each.answer is not None for each in desk.pictures.values())
    what = "everything" if done == 1 else f"everything of {done} images"
    zipped = _link(f"/segmint/desks/{desk.id}/results.zip?v={version}", "results.zip", what)
    return f'<h3>Files</h3><ul class="files">{"".join(rows)}{zipped}</ul>'


def _described(file: dict[str, Any]) -> str:
    name = file["name"]
    what = _WHAT.get(name) or _WHAT.get(name.partition(".")[0], "")
    size = shown_size(file["bytes"])
    return f"{what}, {size}" if what else size


def _link(address: str, name: str, what: str) -> str:
    return (
        f'<li><a href="{html.escape(address)}" download>'
        f'{html.escape(name)}</a> <span class="soft">{html.escape(what)}</span></li>'
    )


def _lines(picture: Picture, setting: Setting) -> str:
    if picture.wish is None:
        return ""
    deed = picture.wish.deed(picture, setting)
    return (
        "<h3>The same again</h3>"
        + _copied("On the command line", command_lines(deed))
        + _copied("In Python", python_lines(deed))
    )


def _copied(title: str, text: str) -> str:
    return (
        f'<div class="lines"><div class="lines-head"><span>{title}</span>'
        f'<button type="button" data-copy aria-label="Copy: {title}">Copy</button></div>'
        f'<pre tabindex="0">{html.escape(text)}</pre></div>'
    )


def _notes(picture: Picture) -> str:
    assert picture.answer is not None
    facts = picture.answer.facts
    notes = [*picture.facts["notes"], *facts["notes"]]
    if not notes:
        return ""
    rows = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return f'<h3>Notes</h3><ul class="notes">{rows}</ul>'
