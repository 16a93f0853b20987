"""Stand-ins for the parts around the server: processes that draw nothing, and a page of one button.

As a program it serves such a page: ``python standing_in.py [OPTION...]``, as ``segmint app``.
"""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segmint.app.errand import Errand
from segmint.errors import InputError

FACTS: dict[str, Any] = {
    "width": 4,
    "height": 3,
    "slices": 2,
    "channels": 3,
    "view": {"width": 4, "height": 3},
    "large": False,
    "can_paint": True,
    "notes": [],
    "slice": 0,
}


class FakeCrew:
    """Does errands at once, and remembers them; those in ``refusals`` fail with a sentence."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.errands: list[Errand] = []
        self.dropped: list[str] = []
        self.refusals: dict[str, str] = {}

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def drop(self, desk: str) -> None:
        self.dropped.append(desk)

    async def ask(self, errand: Errand, *, desk: str) -> Mapping[str, Any]:
        await asyncio.sleep(0)
        self.errands.append(errand)
        if errand.name in self.refusals:
            raise InputError(self.refusals[errand.name])
        done: Mapping[str, Any] = getattr(self, f"_{errand.name}")(**errand.arguments)
        return done

    def _open(self, **arguments: Any) -> Mapping[str, Any]:
        return FACTS

    def _draw(self, *, kind: str, index: int, views: str, **others: Any) -> Mapping[str, Any]:
        path = Path(views) / f"{kind}-{index:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{kind} {index}".encode())
        return {}

    def _save(self, *, result: str, **others: Any) -> Mapping[str, Any]:
        Path(result).mkdir(exist_ok=True)
        (Path(result) / "labels.png").write_bytes(b"changed labels")
        return {"files": [{"name": "labels.png", "bytes": 14}]}

    def _scribbles(self, *, path: str, out: str, **others: Any) -> Mapping[str, Any]:
        Path(out).write_bytes(Path(path).read_bytes())
        return {"ids": [0, 1]}

    def _archive(self, *, folders: Mapping[str, str], out: str, limit: int) -> Mapping[str, Any]:
        Path(out).write_bytes(" ".join(folders).encode())
        return {"bytes": Path(out).stat().st_size}


def build_page(setting: Any) -> Any:
    """A button that says who pressed it, and one whose answer goes on for a minute."""
    import gradio

    globals()["gradio"] = gradio  # where annotations are looked up

    def pressed(request: gradio.Request) -> str:
        visitor = request.cookies.get("segmint-visitor", "")
        return f"desk {setting.desks.open(visitor, str(request.session_hash)).id}"

    async def count() -> Any:
        for number in range(600):
            yield str(number)
            await asyncio.sleep(0.1)

    with gradio.Blocks(analytics_enabled=False) as page:
        said = gradio.Textbox(label="said", elem_id="said")
        gradio.Button("Press", elem_id="press").click(pressed, None, said)
        gradio.Button("Count", elem_id="count").click(count, None, said)
    return page


def stand_in() -> None:
    """Put these in the places of the real ones."""
    sys.modules["segmint.app.crew.crew"] = _module("crew.crew", Crew=FakeCrew)
    sys.modules["segmint.app.page.page"] = _module("page.page", build_page=build_page, styles=str)


def _module(name: str, **content: Any) -> types.ModuleType:
    module = types.ModuleType(f"segmint.app.{name}")
    vars(module).update(content)
    return module


if __name__ == "__main__":
    stand_in()
    from segmint.cli import main

    main(["app", *sys.argv[1:]])
