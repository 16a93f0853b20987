"""Whose desk and which picture an address speaks of; nothing in it is taken as a path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from starlette.exceptions import HTTPException

from segmint.app.guard.visitor import visitor_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from segmint.app.desks.desk import Desk, Picture
    from segmint.app.setting import Setting

DESKS = "/segmint/desks/{desk}"

_FORMS = {
    "desk": re.compile(r"[A-Za-z0-9_-]{22}"),
    "picture": re.compile(r"[1-9][0-9]{0,8}"),
    "version": re.compile(r"0|[1-9][0-9]{0,8}"),
    "view": re.compile(
        r"(?P<kind>picture|labels|map-entropy|map-uncertainty|map-class-(?:0|[1-9][0-9]{0,3}))"
        r"-(?P<slice>[0-9]{4,6})\.png"
    ),
    "file": re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}"),
}
_NUMBER = re.compile(r"[0-9]{1,9}")
_GONE = (
    "there is nothing here: what a visitor opens is deleted some time after the last use, so load "
    "the page anew"
)


@dataclass(frozen=True, kw_only=True)
class Address:
    """A desk of the visitor who asks, and what else the address says."""

    request: Request
    desk: Desk

    @property
    def picture(self) -> Picture:
        """The picture of the address, which is open."""
        found = self.desk.pictures.get(int(self.part("picture")))
        return found if found is not None and found.facts else self.refuse()

    @property
    def version(self) -> int:
        """The number of an answer of the picture, 0 of the picture itself."""
        version = int(self.part("version"))
        return version if version <= self.picture.versions else self.refuse()

    @property
    def views(self) -> Path:
        """The folder of the views of that version."""
        return self.picture.views(self.version)

    def part(self, name: str) -> str:
        """A part of the address, which has the form that such parts have."""
        return _part(self.request, name)

    def view(self) -> tuple[str, int]:
        """Kind and slice of a view."""
        form = _FORMS["view"].fullmatch(str(self.request.path_params["view"]))
        return (form["kind"], int(form["slice"])) if form else self.refuse()

    def number_in_query(self, name: str) -> int:
        """A whole number, 0 or more, after the question mark."""
        text = self.request.query_params.get(name, "")
        return int(text) if _NUMBER.fullmatch(text) else self.refuse()

    def refuse(self) -> NoReturn:
        """Say that there is no such thing, the same whether it is another's or never was."""
        _refuse()


def address_of(setting: Setting, request: Request) -> Address:
    """The desk of an address.

    Raises:
        HTTPException: 404 where the visitor has no such desk.
    """
    visitor = visitor_of(request.cookies)
    desk = None if visitor is None else setting.desks.by_id(_part(request, "desk"), visitor)
    return Address(request=request, desk=_refuse() if desk is None else desk)


def checked_name(request: Request) -> str:
    """The file of an address, a name in one folder.

    Raises:
        HTTPException: 404 for what cannot be one.
    """
    return _part(request, "file")


def _part(request: Request, name: str) -> str:
    text = str(request.path_params[name])
    return text if _FORMS[name].fullmatch(text) else _refuse()


def _refuse() -> NoReturn:
    raise HTTPException(404, _GONE)
