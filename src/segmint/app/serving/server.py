"""The server: one process that answers browsers, and others that do the work."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from segmint.app.crew.crew import Crew
from segmint.app.desks.desks import Desks
from segmint.app.desks.temporary_root import temporary_root
from segmint.app.guard.guard import Guard
from segmint.app.guard.login import Entry
from segmint.app.guard.password import secret_for
from segmint.app.guard.stopping import Stopping
from segmint.app.serving.listening import Listening, listen
from segmint.app.serving.mounting import application
from segmint.app.setting import Setting
from segmint.app.sizes import size_of

if TYPE_CHECKING:
    import socket

    from segmint.app.found_runs import FoundRun
    from segmint.app.options import LimitOptions, ServerOptions
    from segmint.cli.inputs import RunOptions

_BETWEEN_LOOKS = 30.0
"""Seconds between two looks at what may be deleted."""
_MOST_REQUESTS = 2_000
"""At the same time; a tab holds two for as long as it is open."""
_LAST_SECONDS = 3
"""In which requests may end when the server does."""


def serve(
    server: ServerOptions,
    limits: LimitOptions,
    runs: tuple[FoundRun, ...] = (),
    *,
    how: RunOptions,
    ready: Callable[[str], object] = lambda address: None,
) -> None:
    """Show the page until Ctrl-C or a signal ends it.

    Args:
        server: where the page is.
        limits: what visitors may ask for.
        runs: that visitors may choose from.
        how: the arithmetic is done.
        ready: called with the address, as soon as it answers.

    Raises:
        UsageError: for a host that is not this machine, or a size that is none.
        InputError: for a password file that cannot be used.
        OutputError: for a port that is taken.
    """
    size_of("max-upload", limits.max_upload)
    listening = listen(server.host, server.port)
    try:
        secret = secret_for(server.password_file, is_loopback=listening.is_loopback)
        with temporary_root() as root:
            crew = Crew(limits, threads=how.threads)
            desks = Desks(_made(root / "desks"), limits, closing=crew.drop)
            setting = Setting(desks=desks, crew=crew, limits=limits, runs=tuple(runs), how=how)
            stopping = Stopping()
            cookie = f"segmint-entry-{listening.port}"
            guard = Guard(
                application(setting, temporary=_made(root / "page")),
                hosts=listening.hosts.with_names(server.host_names),
                entry=None if secret is None else Entry(secret, cookie=cookie),
                stopping=stopping,
            )
            token = f"/?token={secret.value}" if secret and secret.kind == "token" else ""
            program = _Server(
                _configuration(guard),
                stopping=stopping,
                ready=lambda: ready(listening.address + token),
            )
            asyncio.run(_serve(program, setting, listening))
    finally:
        listening.socket.close()


async def _serve(program: _Server, setting: Setting, listening: Listening) -> None:
    async with _at_work(setting):
        await program.serve(sockets=[listening.socket])


@asynccontextmanager
async def _at_work(setting: Setting) -> AsyncIterator[None]:
    """Processes run, and what nobody uses is deleted."""
    await setting.crew.start()
    looking = asyncio.create_task(_look(setting.desks))
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await setting.crew.close()
        setting.desks.close_all()


async def _look(desks: Desks) -> None:
    while True:
        await asyncio.sleep(_BETWEEN_LOOKS)
        desks.expire()


def _configuration(guard: Guard) -> uvicorn.Config:
    return uvicorn.Config(
        guard,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_REQUESTS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_LAST_SECONDS,
    )


class _Server(uvicorn.Server):
    """Says when it listens, ends streams when it ends, and takes a signal as a wish."""

    def __init__(
        self, config: uvicorn.Config, *, stopping: Stopping, ready: Callable[[], object]
    ) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.begin()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As the base class does, but what ended the server does not end the process after it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.getsignal(each) for each in _signals()}
        for each in before:
            signal.signal(each, self.handle_exit)
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _signals() -> list[signal.Signals]:
    found = [signal.SIGINT, signal.SIGTERM]
    # A terminal that is closed; one who wants to outlive it has it ignored.
    closed: Any = getattr(signal, "SIGHUP", None)
    if closed is not None and signal.getsignal(closed) != signal.SIG_IGN:
        found.append(closed)
    return found


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder
