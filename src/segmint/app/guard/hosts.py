"""By which names visitors reach the server, against pages elsewhere that point their name here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_FORM = re.compile(r"(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """Names that a ``Host`` header may hold."""

    names: frozenset[str] = LOOPBACK
    any_number: bool = False
    """Any IP number is accepted, too: only names can be pointed elsewhere."""

    def with_names(self, names: Iterable[str]) -> Hosts:
        """These and further names."""
        return replace(self, names=self.names | {name.lower() for name in names})

    def accepts(self, header: str) -> bool:
        """Whether a ``Host`` header names this server, on whatever port.

        Example:
            >>> Hosts().accepts("localhost:7860"), Hosts().accepts("evil.example")
            (True, False)
        """
        form = _FORM.fullmatch(header.lower())
        if form is None:
            return False
        name = form[1] or form[2]
        return name in self.names or (self.any_number and _is_number(name))


def is_same_origin(origin: str, host: str) -> bool:
    """Whether an ``Origin`` header is of the page that this server itself gave out.

    Example:
        >>> is_same_origin("http://localhost:7860", "localhost:7860")
        True
        >>> is_same_origin("null", "localhost"), is_same_origin("http://localhost:1", "localhost")
        (False, False)
    """
    scheme, separator, rest = origin.lower().partition("://")
    if not separator or scheme not in ("http", "https"):
        return False
    usual = ":443" if scheme == "https" else ":80"
    return rest.removesuffix(usual) == host.lower().removesuffix(usual)


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
