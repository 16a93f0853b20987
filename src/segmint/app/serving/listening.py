"""Where the server listens, and what that address is called."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from dataclasses import dataclass

from segmint.app.guard.hosts import LOOPBACK, Hosts
from segmint.errors import OutputError, UsageError, shortened

_BACKLOG = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class Listening:
    """A socket that is open already, so that its port is known before anything is built."""

    host: str
    """As it was asked for."""
    socket: socket.socket

    @property
    def port(self) -> int:
        """The port, also where any was asked for."""
        return int(self.socket.getsockname()[1])

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self._number.is_loopback

    @property
    def address(self) -> str:
        """What a visitor types."""
        name = socket.gethostname() if self._number.is_unspecified else self.host
        shown = f"[{name}]" if ":" in name else name
        return f"http://{shown}:{self.port}"

    @property
    def hosts(self) -> Hosts:
        """Names by which visitors may ask for it."""
        names = {self.host.lower(), str(self._number)}
        if self._number.is_unspecified:
            own = socket.gethostname().lower()
            names |= {own, f"{own}.local"}
        return Hosts(
            names=LOOPBACK | names,
            any_number=self._number.is_unspecified,
        )

    @property
    def _number(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        return ipaddress.ip_address(str(self.socket.getsockname()[0]).partition("%")[0])


def listen(host: str, port: int) -> Listening:
    """Open a port.

    Args:
        host: number or name of this machine; ``0.0.0.0`` is all of its numbers.
        port: 0 takes a free one.

    Raises:
        UsageError: for a host that is not this machine.
        OutputError: for a port that is taken, or needs rights.
    """
    family, place = _resolved(host, port)
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(place)
        opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        raise _refusal(error, host, port) from error
    opened.setblocking(False)
    return Listening(host=host, socket=opened)


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, ValueError) as error:  # ValueError: it cannot be a name at all
        raise _unknown(host) from error
    family, _, _, _, place = min(found, key=lambda each: each[0] != socket.AF_INET)
    return family, place


def _refusal(error: OSError, host: str, port: int) -> UsageError | OutputError:
    if error.errno == errno.EADDRINUSE:
        return OutputError(
            f"port {port} of {host} is taken by another program: stop that, give another --port, "
            "or --port 0 for a free one"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return OutputError(
            f"port {port} of {host} is not open to you: give a --port of 1024 or more, or --port 0 "
            "for a free one"
        )
    return _unknown(host)


def _unknown(host: str) -> UsageError:
    return UsageError(
        f"--host is {shortened(ascii(host))}, which is no name or number of this machine: give "
        "127.0.0.1 for this machine alone, or 0.0.0.0 for all who reach it"
    )
