"""All visitors' desks, and how long and how much they may keep."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from segmint.app.desks.desk import Desk, Picture
from segmint.app.desks.picture_name import picture_name
from segmint.app.options import LimitOptions
from segmint.app.sizes import shown_size, size_of
from segmint.errors import InputError

MOST_DESKS = 1_000
"""Tabs that are kept; of more, those are closed that nobody used for longest, and first of all
such without an image."""
MOST_TABS = 50
"""Of one visitor; of more, his own give way."""


class TooManyError(InputError):
    """More images than one visitor may have open."""


class Desks:
    """The desks by visitor and tab, with a folder each.

    Args:
        root: folder in which all of it lies, and nothing else.
        limits: on what each visitor may have.
        closing: called with the id of each desk before its folder is removed.
        clock: seconds that go on; another in tests.
    """

    def __init__(
        self,
        root: Path,
        limits: LimitOptions,
        *,
        closing: Callable[[str], object] = lambda desk: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._root = root
        self._most = size_of("max-desk", limits.max_desk)
        self._closing = closing
        self._clock = clock
        self._desks: dict[str, Desk] = {}
        self._tabs: dict[tuple[str, str], str] = {}
        self._uses: Counter[str] = Counter()
        self._turn = threading.RLock()

    def __len__(self) -> int:
        return len(self._desks)

    def open(self, visitor: str, session: str) -> Desk:
        """The desk of a visitor's tab; a new one where there is none.

        Raises:
            InputError: for nobody, or when no more desks can be kept.
        """
        if not visitor or not session:
            raise InputError("this page needs its cookie: allow cookies, and load it again")
        with self._turn:
            found = self.of(visitor, session)
            if found is not None:
                return found
            self._make_room(visitor)
            id = secrets.token_urlsafe(16)  # noqa: A001
            folder = self._root / id
            folder.mkdir(mode=0o700)
            desk = Desk(id=id, visitor=visitor, session=session, folder=folder)
            desk.touched = self._clock()
            self._desks[id] = desk
            self._tabs[visitor, session] = id
            return desk

    def of(self, visitor: str, session: str) -> Desk | None:
        """The desk of a visitor's tab; None where there is none."""
        return self.by_id(self._tabs.get((visitor, session), ""), visitor)

    def by_id(self, id: str, visitor: str) -> Desk | None:  # noqa: A002
        """A desk, which is kept longer for it; None of others, as if there were none."""
        desk = self._desks.get(id)
        if desk is None or not secrets.compare_digest(desk.visitor.encode(), visitor.encode()):
            return None
        desk.touched = self._clock()
        return desk

    @contextmanager
    def using(self, desk: Desk) -> Iterator[None]:
        """Within it the desk does not expire."""
        with self._turn:
            self._uses[desk.id] += 1
        try:
            yield
        finally:
            with self._turn:
                self._uses[desk.id] -= 1
                desk.touched = self._clock()
                self._uses += Counter()  # forgets those that are at 0

    def close(self, desk: Desk) -> None:
        """Delete everything of a desk."""
        with self._turn:
            if self._desks.pop(desk.id, None) is None:
                return
            self._tabs.pop((desk.visitor, desk.session), None)
        self._closing(desk.id)
        desk.pictures.clear()
        shutil.rmtree(desk.folder, ignore_errors=True)

    def expire(self) -> None:
        """Close desks that nobody used for too long, and remove what closed ones left behind."""
        last = self._clock() - self.limits.keep
        for desk in list(self._desks.values()):
            if desk.touched < last and not self._is_used(desk):
                self.close(desk)
        for folder in list(self._root.iterdir()):
            # A process that was about to write when its desk was closed may have made it again.
            if folder.is_dir() and folder.name not in self._desks:
                shutil.rmtree(folder, ignore_errors=True)

    def close_all(self) -> None:
        """Delete everything of everyone."""
        for desk in list(self._desks.values()):
            self.close(desk)

    def add_picture(self, desk: Desk, name: str) -> Picture:
        """A place for one more image, with the folder for its file.

        Raises:
            TooManyError: when the visitor has as many as may be.
            InputError: when no room is left.
        """
        self.room(desk)
        most = self.limits.max_images
        if len(desk.pictures) >= most:
            raise TooManyError(
                f"{most} image{' is' if most == 1 else 's are'} open, which is as many as may be: "
                "remove one first"
            )
        desk.counted += 1
        folder = desk.folder / str(desk.counted)
        picture = Picture(number=desk.counted, folder=folder, name=picture_name(name))
        picture.file.parent.mkdir(parents=True)
        desk.pictures[picture.number] = picture
        return picture

    def remove_picture(self, desk: Desk, picture: Picture) -> None:
        """Delete an image and all that was made of it."""
        desk.pictures.pop(picture.number, None)
        if desk.current == picture.number:
            desk.current = None
        shutil.rmtree(picture.folder, ignore_errors=True)

    def bytes_of(self, desk: Desk) -> int:
        """Bytes of all files of a desk."""
        files = ((folder, name) for folder, _, names in os.walk(desk.folder) for name in names)
        return sum(_size(Path(folder) / name) for folder, name in files)

    def room(self, desk: Desk) -> int:
        """Bytes that may still be added to a desk.

        Raises:
            InputError: when there are none.
        """
        room = self._most - self.bytes_of(desk)
        if room <= 0:
            raise InputError(
                f"your images and results hold {shown_size(self._most)}, which is as much as may "
                "be: remove an image first"
            )
        return room

    def _make_room(self, visitor: str) -> None:
        own = [desk for desk in self._desks.values() if desk.visitor == visitor]
        if len(own) < MOST_TABS and len(self._desks) < MOST_DESKS:
            return
        desks = own if len(own) >= MOST_TABS else self._desks.values()
        idle = [desk for desk in desks if not self._is_used(desk)]
        if not idle:
            raise InputError("too many visitors work at the moment: come again in a few minutes")
        self.close(min(idle, key=lambda desk: (bool(desk.pictures), desk.touched)))

    def _is_used(self, desk: Desk) -> bool:
        return self._uses[desk.id] > 0 or desk.is_busy


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
