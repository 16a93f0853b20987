"""Where the page is served, and what its visitors may ask for."""

from __future__ import annotations

from dataclasses import dataclass

from segmint.options import Options, option


@dataclass(frozen=True, kw_only=True)
class ServerOptions(Options):
    """Where the page is."""

    host: str = option("127.0.0.1")
    """Address to listen on; other than loopback, visitors need the token or the password."""
    port: int = option(7860, low=0, high=65535)
    """Port to listen on; 0 takes a free one."""
    host_names: tuple[str, ...] = option(())
    """Further names by which visitors reach the page, as behind a proxy; others are refused."""
    password_file: str | None = option(None)
    """File whose first line visitors must give; without it, on other hosts than loopback, a token
    is made up and printed with the address."""


@dataclass(frozen=True, kw_only=True)
class LimitOptions(Options):
    """What visitors may ask for."""

    jobs: int = option(1, low=1, high=256)
    """Images that are worked on at the same time."""
    waiting: int = option(50, low=1, high=100_000)
    """Jobs that may wait; more are refused."""
    time_limit: float = option(600.0, low=1, high=10**7)
    """Seconds that one job may take."""
    max_upload: str = option("512MiB")
    """Bytes of one uploaded file."""
    max_desk: str = option("4GiB")
    """Bytes of all files of one visitor, results included."""
    max_images: int = option(100, low=1, high=10_000)
    """Images that one visitor may have open."""
    max_pixels: int = option(100_000_000, low=1, high=2**62)
    """Larger images are refused by their header."""
    max_whole: int = option(12_000_000, low=1, high=2**62)
    """Larger images are shown by a preview first, and then answered window by window."""
    max_memory: str | None = option(None)
    """What one job may hold, as 2GiB; more ends it. If not given what is free, by jobs."""
    keep: float = option(3600.0, low=10, high=10**7)
    """Seconds after which the files of a visitor who does nothing are deleted."""
