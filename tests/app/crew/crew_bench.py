"""A crew for tests, its errands, and what is asked of it again and again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import wraps
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

from segmint.app.crew.bounds import Bounds
from segmint.app.crew.crew import Crew
from segmint.app.errand import Errand, Told
from segmint.app.options import LimitOptions
from segmint.registry import Registry

FUNCTIONS = (
    *("echo", "name_process", "fail", "return_path", "count", "sleep", "note", "write"),
    *("until_stopped", "hold", "die", "leave", "quit_python", "learn"),
)
PRELOADED = ("segmint.app.crew.process",)

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the system does not tell what processes hold"
)


@contextmanager
def own_fork_server() -> Iterator[None]:
    """One that has imported little, and none for those who come later, who need another."""
    server: Any = forkserver
    server._forkserver._stop()
    yield
    server._forkserver._stop()


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A test in an event loop, which ends within half a minute."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        async def bounded() -> None:
            await asyncio.wait_for(test(**fixtures), 30)

        asyncio.run(bounded())

    return run


def known() -> Registry:
    registry = Registry("errand")
    for name in FUNCTIONS:
        registry.register(name, f"crew_errands:{name}", "for a test")
    registry.register("nowhere", "crew_errands:nowhere", "is not there")
    return registry


@asynccontextmanager
async def crew_of(*, jobs: int = 1, waiting: int = 50, **bounds: Any) -> AsyncIterator[Crew]:
    limits = LimitOptions(jobs=jobs, waiting=waiting)
    crew = Crew(
        limits,
        threads=1,
        preload=PRELOADED,
        registry=known(),
        bounds=replace(Bounds.of(limits), quick_jobs=1, look_seconds=0.02, **bounds),
    )
    await crew.start()
    try:
        yield crew
    finally:
        await crew.close()


def long(name: str, /, **arguments: Any) -> Errand:
    return Errand(name=name, arguments=arguments)


def quick(name: str, /, **arguments: Any) -> Errand:
    return Errand(name=name, arguments=arguments, quick=True)


async def all_told(crew: Crew, errand: Errand, desk: str = "a") -> list[Told]:
    return [told async for told in crew.run(errand, desk=desk)]


async def last_of(crew: Crew, errand: Errand, desk: str = "a") -> Told:
    """What is told last, which is told once."""
    told = await all_told(crew, errand, desk)
    assert [each.kind in ("done", "failed") for each in told] == [False] * (len(told) - 1) + [True]
    return told[-1]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def idle(crew: Crew, processes: int = 2) -> None:
    """Wait until all processes are ready and nothing is done."""
    await until(lambda: crew.status().busy == 0 and len(crew.status().pids) == processes)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def held_by(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
