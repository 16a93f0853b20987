"""Which network device of this machine leads to another one.

Gloo takes the one that the machine's own name leads to, and on many machines that is loopback,
which no other machine reaches.
"""

from __future__ import annotations

import importlib
import ipaddress
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GLOO = "GLOO_SOCKET_IFNAME"

_GET_ADDRESS = 0x8915
"""Linux's SIOCGIFADDR."""
_IPV6 = Path("/proc/net/if_inet6")


@contextmanager
def gloo_towards(address: str) -> Iterator[None]:
    """Within it gloo speaks by the device that leads to an address; by the user's where one is set.

    Args:
        address: name or number of a machine, also of this one.
    """
    found = None if os.environ.get(GLOO) else interface_to(address)
    if found is None:
        yield
        return
    os.environ[GLOO] = found
    try:
        yield
    finally:
        os.environ.pop(GLOO, None)


def interface_to(address: str) -> str | None:
    """The network device that leads to an address; None where that cannot be found out.

    Example:
        >>> interface_to("127.0.0.1") in ("lo", "lo0", None)
        True
    """
    own = _own_address(address)
    if own is None:
        return None
    for _, name in socket.if_nameindex():
        if own in _addresses(name):
            return name
    return None


def _own_address(address: str) -> str | None:
    """The address of this machine that another one would see; nothing is sent."""
    try:
        family, _, _, _, place = socket.getaddrinfo(address, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(place)
            return str(probe.getsockname()[0]).partition("%")[0]
    except OSError:
        return None


def _addresses(name: str) -> list[str]:
    return [*_ipv4(name), *_ipv6(name)]


def _ipv4(name: str) -> list[str]:
    try:
        control = importlib.import_module("fcntl")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            asked = struct.pack("256s", name.encode()[:15])
            found: bytes = control.ioctl(probe.fileno(), _GET_ADDRESS, asked)
    except (ImportError, OSError):
        return []
    return [socket.inet_ntoa(found[20:24])]


def _ipv6(name: str) -> list[str]:
    try:
        rows = [line.split() for line in _IPV6.read_text().splitlines()]
    except OSError:
        return []
    return [str(ipaddress.IPv6Address(bytes.fromhex(row[0]))) for row in rows if row[-1] == name]
