"""From a wish to an answer on the desk, told on the way."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING

from segmint.app.changes import Changes
from segmint.app.desks.desk import Answer
from segmint.app.errand import Errand
from segmint.app.page.status import Status
from segmint.errors import SegmintError, UsageError

if TYPE_CHECKING:
    from segmint.app.desks.desk import Desk, Picture
    from segmint.app.page.screen import Screen, Update
    from segmint.app.page.wishes import Wish
    from segmint.app.setting import Setting

_VERSIONS_KEPT = 3
"""Views of so many answers stay, for pages that still load them."""


async def work(
    setting: Setting, screen: Screen, desk: Desk, picture: Picture, wish: Wish
) -> AsyncGenerator[Update, None]:
    """Have a picture answered, and show what comes; the last update shows everything.

    One picture of a desk is worked on at a time; a wish that comes in between waits.
    """
    try:
        async with (
            desk.turn(),
            aclosing(_work(setting, screen, desk, picture, wish)) as updates,
        ):
            async for update in updates:
                yield update
    except UsageError as error:
        yield screen.said(Status(str(error), "failed"))
        return
    yield screen.all(desk, _finished(picture))


async def work_on_all(
    setting: Setting, screen: Screen, desk: Desk, wishes: Iterable[tuple[Picture, Wish]]
) -> AsyncGenerator[Update, None]:
    """Have several pictures answered, one after the other; one bad picture does not stop others."""
    failures = []
    pairs = list(wishes)
    try:
        async with desk.turn():
            for index, (picture, wish) in enumerate(pairs):
                desk.current = picture.number
                status = Status(f"{picture.name}: {index + 1} of {len(pairs)}", "busy")
                yield screen.all(desk, status)
                async with aclosing(_work(setting, screen, desk, picture, wish)) as updates:
                    async for update in updates:
                        yield update
                if picture.failure is not None:
                    failures.append(f"{picture.name}: {picture.failure}")
    except UsageError as error:
        yield screen.said(Status(str(error), "failed"))
        return
    done = len(pairs) - len(failures)
    told = f"{done} of {len(pairs)} images are done; results.zip holds all"
    status = Status("; ".join([told, *failures]), "failed" if failures else "said")
    yield screen.all(desk, status)


async def change(setting: Setting, desk: Desk, picture: Picture, changes: Changes) -> None:
    """Do a change by hand: cut, merge or name, without a new fit.

    Raises:
        UsageError: for a change that cannot be done.
    """
    answer = picture.answer
    assert answer is not None
    version = picture.versions + 1
    facts = await setting.crew.ask(
        Errand(
            name="change",
            quick=True,
            arguments={
                "path": str(picture.file),
                "name": picture.name,
                "fit": str(picture.fit),
                "views": str(picture.views(version)),
                **changes.arguments,
            },
        ),
        desk=desk.id,
    )
    picture.versions = version
    picture.changes = changes
    kept = {name: answer.facts[name] for name in ("files", "notes") if name in answer.facts}
    picture.answer = Answer(version=version, facts={**facts, **kept}, is_saved=False)
    await asyncio.to_thread(_forget_views, picture)


async def save(setting: Setting, desk: Desk, picture: Picture) -> None:
    """Write the files of what is shown, if that was not done yet."""
    answer = picture.answer
    if answer is None or answer.is_saved:
        return
    told = await setting.crew.ask(
        Errand(
            name="save",
            quick=True,
            arguments={
                "path": str(picture.file),
                "name": picture.name,
                "fit": str(picture.fit),
                "result": str(picture.result),
                **picture.changes.arguments,
            },
        ),
        desk=desk.id,
    )
    if picture.answer is answer:
        answer.facts = {**answer.facts, **told}
        answer.is_saved = True


async def _work(
    setting: Setting, screen: Screen, desk: Desk, picture: Picture, wish: Wish
) -> AsyncGenerator[Update, None]:
    with setting.desks.using(desk):
        async with aclosing(_steps(setting, screen, desk, picture, wish)) as updates:
            async for update in updates:
                yield update


async def _steps(
    setting: Setting, screen: Screen, desk: Desk, picture: Picture, wish: Wish
) -> AsyncGenerator[Update, None]:
    version = picture.versions + 1
    yield screen.begun(desk, Status(f"{picture.name}: starting", "busy"))
    try:
        await asyncio.to_thread(setting.desks.room, desk)
        errand = wish.errand(picture, version, setting)
    except SegmintError as error:
        picture.failure = str(error)
        return
    status = Status(f"{picture.name}: working", "busy")
    async with aclosing(setting.crew.run(errand, desk=desk.id)) as reports:
        async for told in reports:
            if told.kind == "waiting":
                status = Status.of_waiting(told.data)
            elif told.kind == "progress":
                status = Status.of_progress(told.data, picture.name)
            elif told.kind == "frame":
                yield screen.frame(desk, told.data, status)
                continue
            elif told.kind == "failed":
                picture.failure = str(told.data["sentence"])
                return
            else:
                picture.versions = version
                picture.answer = Answer(version=version, facts=told.data)
                picture.wish, picture.changes = wish, Changes()
                picture.failure = None
                await asyncio.to_thread(_forget_views, picture)
                return
            yield screen.said(status)


def _finished(picture: Picture) -> Status:
    if picture.failure is not None:
        return Status(picture.failure, "failed")
    assert picture.answer is not None
    ended = picture.answer.facts
    count = ended["components"]
    components = "1 component" if count == 1 else f"{count} components"
    text = f"{picture.name}: {components} in {ended['seconds']:.1f} s"
    if ended.get("stopped"):
        text += f", stopped by hand after iteration {ended['stopped']}"
    return Status(text)


def _forget_views(picture: Picture) -> None:
    """Remove the views of earlier answers."""
    for version in range(1, picture.versions - _VERSIONS_KEPT + 1):
        folder = picture.views(version)
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)
