"""The processes of the page: what is told, by whom, and in which order."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from crew_bench import (
    all_told,
    crew_of,
    idle,
    in_loop,
    last_of,
    long,
    own_fork_server,
    quick,
    until,
)

from segmint.app.errand import Told
from segmint.errors import InputError, UsageError


@pytest.fixture(scope="module", autouse=True)
def _own_fork_server() -> Iterator[None]:
    with own_fork_server():
        yield


@in_loop
async def test_tells_what_the_function_returned() -> None:
    async with crew_of() as crew:
        for make in (long, quick):
            told = await last_of(crew, make("echo", value=[1, {"a": None}], name="photo.png"))
            assert told == Told(kind="done", data={"value": [1, {"a": None}], "name": "photo.png"})
        assert await crew.ask(long("echo", value=2), desk="a") == {"value": 2}


@in_loop
async def test_long_and_quick_errands_have_processes_of_their_own() -> None:
    async with crew_of() as crew:
        of_long = [await crew.ask(long("name_process"), desk="a") for _ in range(2)]
        of_quick = [await crew.ask(quick("name_process"), desk="a") for _ in range(2)]
    assert of_long[0] == of_long[1]
    assert of_quick[0] == of_quick[1]
    assert of_long[0]["pid"] != of_quick[0]["pid"]
    assert of_long[0]["threads"] == "1"
    assert os.getpid() not in (of_long[0]["pid"], of_quick[0]["pid"])


@pytest.mark.parametrize(
    ("kind", "text", "sentence", "cause"),
    [
        ("input", "photo.png is no image", "photo.png is no image", "errand"),
        ("output", "the disk is full", "the disk is full", "errand"),
        ("usage", "--components is 0", "--components is 0", "errand"),
        ("key", "a", "unexpected KeyError: 'a'", "unexpected"),
        ("error", "one\n  two", "unexpected Exception: one two", "unexpected"),
        (
            "memory",
            "",
            "there is not enough memory for it: take a smaller image, fewer components or fewer "
            "iterations",
            "memory",
        ),
    ],
)
def test_tells_what_the_function_raised(kind: str, text: str, sentence: str, cause: str) -> None:
    @in_loop
    async def check() -> None:
        async with crew_of() as crew:
            told = await last_of(crew, quick("fail", kind=kind, text=text))
            assert told.kind == "failed"
            assert told.data == {"sentence": sentence, "cause": cause, "usage": kind == "usage"}
            expected = UsageError if kind == "usage" else InputError
            with pytest.raises(expected) as error:
                await crew.ask(quick("fail", kind=kind, text=text), desk="a")
            assert str(error.value) == sentence
            assert crew.status().restarted == 0

    check()


@in_loop
async def test_the_trace_of_a_fault_goes_to_the_log_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with crew_of() as crew:
        told = await last_of(crew, long("fail", kind="key", text="a"))
        assert "crew_errands" not in told.data["sentence"]
        assert "crew_errands.py" in caplog.text
        caplog.clear()
        await last_of(crew, long("fail", kind="input", text="photo.png is no image"))
        assert not caplog.text


@in_loop
async def test_what_is_not_plain_or_not_there_is_a_fault() -> None:
    async with crew_of() as crew:
        told = await last_of(crew, long("return_path"))
        assert told.data["sentence"].startswith("unexpected TypeError: Object of type")
        told = await last_of(crew, long("nowhere"))
        assert told.data["sentence"].startswith("unexpected AttributeError")
        told = await last_of(crew, long("ecko"))
        assert told.data["usage"]
        assert "did you mean 'echo'" in told.data["sentence"]
        assert (await last_of(crew, long("echo"))).kind == "done"


@in_loop
async def test_sentences_hold_no_folders_of_the_server(tmp_path: Path) -> None:
    file = tmp_path / "a b" / "1" / "upload" / "photo.png"
    other = file.parent.parent / "fit" / "result.json"
    text = f"the file {file} is empty, see {other} and /etc/x/y.conf"
    async with crew_of() as crew:
        told = await last_of(crew, quick("fail", kind="input", text=text, path=str(file)))
    assert told.data["sentence"] == "the file photo.png is empty, see fit/result.json and y.conf"


@in_loop
async def test_frames_and_progress_are_told_now_and_then_and_at_last() -> None:
    async with crew_of() as crew:
        begun = time.monotonic()
        told = await all_told(crew, long("count", steps=100, seconds=0.005))
        seconds = time.monotonic() - begun
    frames = [each.data for each in told if each.kind == "frame"]
    steps = [each.data for each in told if each.kind == "progress"]
    assert frames[-1] == {"labels": bytes([100]) * 1000, "iteration": 100, "of": 100}
    assert steps[-1] == {"done": 100, "total": 100, "text": "step 100"}
    assert told[-1] == Told(kind="done", data={"steps": 100})
    for told_of, name, a_second in ((frames, "iteration", 6), (steps, "done", 5)):
        numbers = [each[name] for each in told_of]
        assert numbers == sorted(set(numbers))
        assert 2 <= len(numbers) <= 2 + seconds * a_second


@in_loop
async def test_who_reads_slowly_gets_the_newest() -> None:
    async with crew_of() as crew:
        await idle(crew)
        run = crew.run(long("count", steps=10, seconds=0.1), desk="a")
        async with aclosing(run) as tellings:
            first = await anext(tellings)
            assert first.data["iteration"] < 10
            await until(lambda: crew.status().busy == 0)
            rest = [told async for told in tellings]
    assert [told.kind for told in rest] == ["frame", "progress", "done"]
    assert rest[0].data["iteration"] == rest[1].data["done"] == 10


@in_loop
async def test_the_first_come_is_the_first_served_and_knows_its_place(tmp_path: Path) -> None:
    path = tmp_path / "order"
    async with crew_of() as crew:
        await idle(crew)
        errands = {desk: long("note", path=str(path), text=desk, seconds=0.1) for desk in "abcd"}
        told = await asyncio.gather(*(all_told(crew, errands[desk], desk) for desk in "abcd"))
    assert path.read_text() == "abcd"
    places = [[each.data["ahead"] for each in of if each.kind == "waiting"] for of in told]
    assert [of[:1] for of in places] == [[], [1], [2], [3]]
    assert all(of == sorted(set(of), reverse=True) for of in places)


@in_loop
async def test_several_jobs_run_at_once() -> None:
    async with crew_of(jobs=3) as crew:
        await idle(crew, 4)
        runs = [asyncio.create_task(last_of(crew, long("until_stopped"), desk)) for desk in "abc"]
        await until(lambda: crew.status().busy == 3)
        for desk in "abc":
            crew.stop(desk)
        assert [told.kind for told in await asyncio.gather(*runs)] == ["done"] * 3


@in_loop
async def test_a_desk_comes_back_to_the_process_that_knows_it() -> None:
    async with crew_of(jobs=3) as crew:
        await idle(crew, 4)
        pids: dict[str, set[int]] = {desk: set() for desk in "abc"}
        for desk in "abccbaabbc":
            pids[desk].add((await crew.ask(long("name_process"), desk=desk))["pid"])
    assert {len(of_desk) for of_desk in pids.values()} == {1}
    assert len(set.union(*pids.values())) == 3


@in_loop
async def test_too_many_are_refused() -> None:
    async with crew_of(waiting=2) as crew:
        await idle(crew)
        runs = [asyncio.create_task(last_of(crew, long("until_stopped"), desk)) for desk in "abc"]
        await until(lambda: crew.status().waiting == 2)
        told = await all_told(crew, long("echo"), "d")
        assert [each.kind for each in told] == ["failed"]
        assert told[0].data["sentence"] == "2 others wait already: try again in a few minutes"
        assert told[0].data["cause"] == "refused"
        assert (await last_of(crew, quick("echo"), "d")).kind == "done"
        for desk in "cba":
            crew.stop(desk)
        kinds = [told.kind for told in await asyncio.gather(*runs)]
        assert kinds == ["done", "failed", "failed"]
        assert (await last_of(crew, long("echo"), "d")).kind == "done"


@in_loop
async def test_quick_errands_of_one_desk_are_bounded_and_leave_room_for_others() -> None:
    async with crew_of(quick_waiting=4, desk_waiting=2) as crew:
        await idle(crew)
        runs = [
            asyncio.create_task(last_of(crew, quick("sleep", seconds=0.2), desk)) for desk in "aaa"
        ]
        await until(lambda: crew.status().waiting == 2)
        assert (await last_of(crew, quick("echo"), "a")).data["cause"] == "refused"
        assert (await last_of(crew, quick("echo"), "b")).kind == "done"
        assert [told.kind for told in await asyncio.gather(*runs)] == ["done"] * 3


@in_loop
async def test_a_desk_has_one_long_errand_at_a_time() -> None:
    async with crew_of(jobs=2) as crew:
        run = asyncio.create_task(last_of(crew, long("until_stopped"), "a"))
        await until(lambda: crew.status().busy == 1)
        told = await last_of(crew, long("echo"), "a")
        assert told.data["sentence"].startswith("this page already works on an image")
        assert (await last_of(crew, long("echo"), "b")).kind == "done"
        assert (await last_of(crew, quick("echo"), "a")).kind == "done"
        crew.stop("a")
        assert (await run).kind == "done"
        assert (await last_of(crew, long("echo"), "a")).kind == "done"
