"""Machines with addresses of their own, made of network namespaces on this one.

They share everything but the network: files, processes, memory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """This machine, by one of the addresses that it has for itself."""

    address: str

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs another one in here."""
        return [*argv]


@dataclass(frozen=True)
class Namespace(Machine):
    """One with a network of its own."""

    name: str
    bridge: str
    """The network device, outside the namespaces, that joins them."""

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs another one in here."""
        return ["ip", "netns", "exec", self.name, *argv]


@contextmanager
def machines(count: int) -> Iterator[list[Machine]]:
    """Network namespaces where they can be made, addresses of loopback elsewhere."""
    if missing():
        yield [Machine(f"127.0.0.{place + 1}") for place in range(count)]
    else:
        with namespaces(count) as made:
            yield [*made]


def missing() -> str:
    """Why no namespaces can be made here; empty where they can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "only root can make network namespaces"
    if shutil.which("ip") is None:
        return "there is no command ip to make network namespaces with"
    name = f"sg{os.getpid()}t"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"network namespaces cannot be made here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    return ""


@contextmanager
def namespaces(count: int) -> Iterator[list[Namespace]]:
    """So many machines that reach each other and nothing else.

    Whatever still runs in them when the block ends is killed.
    """
    number = os.getpid()  # below 2**22: three bytes of the network, and short enough for a device
    network = f"10.{number >> 8 & 255}.{number & 255}"
    bridge = f"sg{number}b"
    made = [
        Namespace(f"{network}.{place + 1}", f"sg{number}n{place}", bridge) for place in range(count)
    ]
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("link", "set", bridge, "up")
        for place, namespace in enumerate(made):
            _join(namespace, f"sg{number}v{place}")
        yield made
    finally:
        for namespace in made:
            _remove(namespace)
        _ip("link", "del", bridge, check=False)


def _join(namespace: Namespace, device: str) -> None:
    """Make a namespace whose one device, besides loopback, is a cable to the bridge."""
    name = namespace.name
    _ip("netns", "add", name)
    _ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("link", "set", device, "master", namespace.bridge, "up")
    _ip("-n", name, "addr", "add", f"{namespace.address}/24", "dev", "eth0")
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", name, "link", "set", "eth0", "up")


def _remove(namespace: Namespace) -> None:
    """Kill what runs in a namespace, and take it away; its cable goes with it."""
    listed = subprocess.run(
        ["ip", "netns", "pids", namespace.name], capture_output=True, text=True, check=False
    )
    for pid in listed.stdout.split():
        subprocess.run(["kill", "-9", pid], check=False, capture_output=True)
    _ip("netns", "del", namespace.name, check=False)


def _ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True)
