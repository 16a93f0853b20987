"""The processes of the page: what ends an errand, a process, all of them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from crew_bench import (
    all_told,
    crew_of,
    held_by,
    idle,
    in_loop,
    is_alive,
    last_of,
    long,
    needs_proc,
    own_fork_server,
    quick,
    until,
)

from segmint.app.errand import Errand, Told


@pytest.fixture(scope="module", autouse=True)
def _own_fork_server() -> Iterator[None]:
    with own_fork_server():
        yield


@in_loop
async def test_an_errand_that_listens_ends_with_what_it_has() -> None:
    async with crew_of() as crew:
        await idle(crew)
        async with aclosing(crew.run(long("until_stopped"), desk="a")) as tellings:
            kinds = []
            async for told in tellings:
                kinds.append(told.kind)
                crew.stop("b")
                crew.stop("a")
                crew.stop("a")
        assert kinds[-2:] == ["progress", "done"]
        assert told.data == {"stopped": True}
        assert crew.status().restarted == 0
        crew.stop("a")
        assert (await last_of(crew, long("echo"))).kind == "done"


@in_loop
async def test_an_errand_that_does_not_listen_is_killed() -> None:
    async with crew_of(stop_seconds=0.2) as crew:
        run = asyncio.create_task(last_of(crew, long("sleep", seconds=60)))
        await until(lambda: crew.status().busy == 1)
        crew.stop("a")
        told = await run
        assert told == Told(
            kind="failed", data={"sentence": "stopped", "cause": "stopped", "usage": False}
        )
        assert (await last_of(crew, long("echo"))).kind == "done"


@in_loop
async def test_what_takes_too_long_is_ended() -> None:
    async with crew_of(long_seconds=0.3, quick_seconds=0.2) as crew:
        told = await last_of(crew, long("sleep", seconds=60))
        assert told.data["cause"] == "time"
        assert "not done within 0.3 s" in told.data["sentence"]
        assert "--time-limit" in told.data["sentence"]
        told = await last_of(crew, quick("sleep", seconds=60))
        assert "not done within 0.2 s" in told.data["sentence"]
        assert "--time-limit" not in told.data["sentence"]
        assert (await last_of(crew, long("echo"))).kind == "done"


@in_loop
async def test_to_wait_counts_for_no_limit() -> None:
    async with crew_of(long_seconds=1) as crew:
        runs = [last_of(crew, long("sleep", seconds=0.4), desk) for desk in "abc"]
        assert [told.kind for told in await asyncio.gather(*runs)] == ["done"] * 3


@needs_proc
@in_loop
async def test_what_takes_too_much_memory_is_ended() -> None:
    async with crew_of(memory=200 * 2**20) as crew:
        for make in (long, quick):
            told = await last_of(crew, make("hold", mebibytes=300, seconds=60, keep=False))
            assert told.data["cause"] == "memory"
            assert "0.2 GiB allowed here" in told.data["sentence"]
            assert "--max-memory" in told.data["sentence"]
            assert (await last_of(crew, make("echo"))).kind == "done"


@needs_proc
@in_loop
async def test_memory_comes_back() -> None:
    async with crew_of(kept_memory=50 * 2**20) as crew:
        await idle(crew)
        before = sum(map(held_by, crew.status().pids))
        pids = {
            (await crew.ask(make("hold", mebibytes=200, seconds=0, keep=True), desk="a"))["pid"]
            for make in (long, long, quick)
        }
        assert len(pids) == 3
        await idle(crew)
        assert sum(map(held_by, crew.status().pids)) < before + 30 * 2**20
        assert not any(map(is_alive, pids))
        pid = (await crew.ask(long("name_process"), desk="a"))["pid"]
        await crew.ask(long("hold", mebibytes=200, seconds=0, keep=False), desk="a")
        assert (await crew.ask(long("name_process"), desk="a"))["pid"] == pid


@in_loop
async def test_a_killed_process_costs_one_errand(tmp_path: Path) -> None:
    async with crew_of() as crew:
        for path in (tmp_path / "first", tmp_path / "second"):
            run = asyncio.create_task(last_of(crew, long("write", path=str(path)), "a"))
            await until(path.exists)
            next_run = asyncio.create_task(last_of(crew, long("echo"), "b"))
            os.kill(crew.status().pids[0], signal.SIGKILL)
            told = await run
            assert told.data["cause"] == "killed"
            assert "was killed (signal 9)" in told.data["sentence"]
            assert (await next_run).kind == "done"
        assert crew.status().restarted == 2


@in_loop
async def test_what_forks_the_processes_may_be_killed_too() -> None:
    server: Any = forkserver
    async with crew_of() as crew:
        await idle(crew)
        os.kill(server._forkserver._forkserver_pid, signal.SIGKILL)
        await until(lambda: crew.status().restarted == 2)
        assert (await last_of(crew, long("echo"))).kind == "done"
        assert (await last_of(crew, quick("echo"))).kind == "done"


@in_loop
async def test_a_process_killed_at_rest_costs_none() -> None:
    async with crew_of() as crew:
        for count in (1, 2):
            await idle(crew)
            for pid in crew.status().pids:
                os.kill(pid, signal.SIGKILL)
            assert (await last_of(crew, long("echo"))).kind == "done"
            assert (await last_of(crew, quick("echo"))).kind == "done"
            assert crew.status().restarted == 2 * count


@pytest.mark.parametrize(
    ("errand", "words"),
    [
        (long("die", number=int(signal.SIGSEGV)), "signal 11, SIGSEGV"),
        (long("die", number=int(signal.SIGTERM)), "signal 15, SIGTERM"),
        (long("leave", code=7), "exit code 7"),
        (quick("quit_python"), "exit code 3"),
    ],
)
def test_a_process_that_breaks_down_costs_one_errand(errand: Errand, words: str) -> None:
    @in_loop
    async def check() -> None:
        async with crew_of() as crew:
            told = await last_of(crew, errand)
            assert f"broke down ({words})" in told.data["sentence"]
            assert (await last_of(crew, replace(errand, name="echo"))).kind == "done"

    check()


@in_loop
async def test_an_interrupt_from_the_terminal_disturbs_no_errand() -> None:
    async with crew_of() as crew:
        await idle(crew)
        run = asyncio.create_task(last_of(crew, long("sleep", seconds=0.3)))
        await until(lambda: crew.status().busy == 1)
        for pid in crew.status().pids:
            os.kill(pid, signal.SIGINT)
        assert (await run).kind == "done"
        assert crew.status().restarted == 0


@in_loop
async def test_to_close_the_generator_ends_the_errand(tmp_path: Path) -> None:
    path = tmp_path / "written"
    async with crew_of() as crew:
        run = asyncio.create_task(last_of(crew, long("write", path=str(path))))
        await until(path.exists)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        size = path.stat().st_size
        assert (await last_of(crew, long("echo"))).kind == "done"
        assert path.stat().st_size == size
        async with aclosing(crew.run(long("until_stopped"), desk="a")) as tellings:
            await anext(tellings)
        assert crew.status().busy == 0
        assert (await last_of(crew, long("echo"))).kind == "done"


@in_loop
async def test_to_leave_the_queue_lets_others_move_up() -> None:
    async with crew_of() as crew:
        await idle(crew)
        first = asyncio.create_task(last_of(crew, long("until_stopped"), "a"))
        await until(lambda: crew.status().busy == 1)
        second = asyncio.create_task(last_of(crew, long("echo"), "b"))
        await until(lambda: crew.status().waiting == 1)
        third = asyncio.create_task(all_told(crew, long("echo"), "c"))
        await until(lambda: crew.status().waiting == 2)
        second.cancel()
        await until(lambda: crew.status().waiting == 1)
        crew.stop("a")
        assert (await first).kind == "done"
        assert [told.data.get("ahead") for told in await third] == [2, 1, None]


@in_loop
async def test_a_desk_that_is_dropped_has_nothing_left(tmp_path: Path) -> None:
    path = tmp_path / "written"
    async with crew_of() as crew:
        await idle(crew)
        runs = [
            asyncio.create_task(last_of(crew, errand, desk))
            for errand, desk in (
                (long("write", path=str(path)), "a"),
                (quick("sleep", seconds=60), "a"),
                (quick("sleep", seconds=60), "a"),
                (long("echo"), "b"),
            )
        ]
        await until(path.exists)
        crew.drop("a")
        await crew.settled("a")
        size = path.stat().st_size
        told = await asyncio.gather(*runs)
        assert [each.data.get("sentence") for each in told] == ["stopped"] * 3 + [None]
        assert path.stat().st_size == size
        assert crew.status().waiting == crew.status().busy == 0


@in_loop
async def test_to_close_ends_everything() -> None:
    async with crew_of(jobs=2) as crew:
        await idle(crew, 3)
        runs = [
            asyncio.create_task(last_of(crew, long("sleep", seconds=60), desk)) for desk in "abc"
        ]
        await until(lambda: crew.status().waiting == 1)
        pids = crew.status().pids
        assert len(pids) == 3
        await crew.close()
        assert {told.data["cause"] for told in await asyncio.gather(*runs)} == {"closed"}
        assert not any(map(is_alive, pids))
        assert (await last_of(crew, long("echo"))).data["cause"] == "closed"
        crew.stop("a")
        crew.drop("a")
        await crew.close()


@in_loop
async def test_to_close_before_the_processes_have_started() -> None:
    async with crew_of(jobs=2) as crew:
        run = asyncio.create_task(last_of(crew, long("echo")))
        await asyncio.sleep(0)
    assert (await run).data["cause"] == "closed"


SERVER = """
import asyncio, sys
from segmint.app.crew.crew import Crew
from segmint.app.errand import Errand
from segmint.app.options import LimitOptions
from segmint.registry import Registry

async def serve():
    registry = Registry("errand")
    registry.register("write", "crew_errands:write", "for a test")
    crew = Crew(LimitOptions(), threads=1, preload=(), registry=registry)
    await crew.start()
    while len(crew.status().pids) < 3:
        await asyncio.sleep(0.01)
    sys.stdout.write(" ".join(map(str, crew.status().pids)) + chr(10))
    sys.stdout.flush()
    async for told in crew.run(Errand(name="write", arguments={"path": sys.argv[1]}), desk="a"):
        pass

asyncio.run(serve())
"""
"""Not guarded against being run once more by the processes that it starts."""


@needs_proc
def test_processes_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    script, path = tmp_path / "server.py", tmp_path / "written"
    script.write_text(SERVER)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(
        [sys.executable, str(script), str(path)], env=environment, stdout=subprocess.PIPE
    ) as server:
        try:
            assert server.stdout is not None
            pids = [int(word) for word in server.stdout.readline().split()]
            _wait_for(path.exists)
            assert len(pids) == 3
            assert all(map(is_alive, pids))
        finally:
            server.kill()
        _wait_for(lambda: not any(map(is_alive, pids)))


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
