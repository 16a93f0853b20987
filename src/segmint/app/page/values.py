"""What the parts of the page that are drawn in the browser are told."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from segmint.app.desks.uploads import too_large

if TYPE_CHECKING:
    from segmint.app.desks.desk import Desk, Picture

_SHOWN = ("legend", "can_change", "has_probabilities", "maps")
"""Facts of an answer that the viewer needs."""


def viewer_value(
    desk: Desk, *, frame: Mapping[str, Any] | None = None, busy: bool = False
) -> dict[str, Any]:
    """Of the viewer and the list of components.

    Args:
        desk: whose picture is shown.
        frame: labels as they are while a method learns: ``labels`` as PNG, ``iteration``, ``of``.
        busy: whether the picture is worked on.
    """
    picture = desk.picture
    if picture is None:
        return {"desk": desk.id, "picture": None, "busy": busy}
    facts, answer = picture.facts, picture.answer
    value: dict[str, Any] = {
        "desk": desk.id,
        "picture": picture.number,
        "name": picture.name,
        "width": facts["width"],
        "height": facts["height"],
        "view": facts["view"],
        "slices": facts["slices"],
        "slice": facts["slice"],
        "version": None,
        "can_paint": facts["can_paint"],
        "scribbles": {
            "strokes": picture.strokes,
            "base": _base(desk, picture),
            "names": {str(number): name for number, name in picture.stroke_names.items()},
        },
        "frame": None if frame is None else _frame(frame),
        "busy": busy,
    }
    if answer is not None:
        shown = {name: answer.facts[name] for name in _SHOWN}
        value |= {"version": answer.version, **shown, "slice": answer.facts["slice"]}
        value["can_undo"] = bool(picture.changes.merged)
    return value


def uploader_value(desk: Desk, most: int) -> dict[str, Any]:
    """Of the place where files are dropped, and of the list of open pictures.

    Args:
        desk: of the visitor.
        most: bytes that a file may have.
    """
    return {
        "max_upload": {"bytes": most, "sentence": too_large(most)},
        "desk": desk.id,
        "picture": desk.current,
        "pictures": [
            {
                "picture": picture.number,
                "name": picture.name,
                "width": picture.facts["width"],
                "height": picture.facts["height"],
                "slices": picture.facts["slices"],
                "done": picture.answer is not None,
                "thumbnail": _view(desk, picture, 0, f"picture-{picture.facts['slice']:04d}"),
            }
            for picture in desk.pictures.values()
            if picture.facts
        ],
    }


def _view(desk: Desk, picture: Picture, version: int, what: str) -> str:
    return f"/segmint/desks/{desk.id}/{picture.number}/views/{version}/{what}.png"


def _base(desk: Desk, picture: Picture) -> str | None:
    if not picture.base.exists():
        return None
    return f"/segmint/desks/{desk.id}/{picture.number}/scribbles-base.png"


def _frame(frame: Mapping[str, Any]) -> dict[str, Any]:
    labels = base64.b64encode(frame["labels"]).decode("ascii")
    iteration, last = frame["iteration"], frame["of"]
    text = f"iteration {iteration}" if last is None else f"iteration {iteration} of {last}"
    return {
        "labels": f"data:image/png;base64,{labels}",
        "text": text if iteration else "preview",
    }
