"""How processes start: what they have imported, and where the system cannot fork them."""

from __future__ import annotations

import importlib.util
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from crew_bench import crew_of, in_loop, known, last_of, long, own_fork_server, quick

from segmint.app.crew.crew import Crew
from segmint.app.crew.launching import PRELOADED
from segmint.app.options import LimitOptions


@pytest.fixture(autouse=True)
def _own_fork_server() -> Iterator[None]:
    with own_fork_server():
        yield


@pytest.mark.parametrize("name", PRELOADED)
def test_what_is_imported_beforehand_exists(name: str) -> None:
    assert importlib.util.find_spec(name) is not None


@in_loop
async def test_processes_learn_in_several_threads_with_what_was_imported_beforehand() -> None:
    crew = Crew(LimitOptions(), threads=2, registry=known())
    await crew.start()
    try:
        for make in (long, quick):
            assert await crew.ask(make("learn"), desk="a") == {"loaded": True, "threads": 2}
    finally:
        await crew.close()


def test_processes_start_where_none_can_be_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])

    @in_loop
    async def check() -> None:
        async with crew_of() as crew:
            assert (await last_of(crew, long("echo"))).kind == "done"
            assert (await last_of(crew, long("leave", code=4))).data["cause"] == "killed"
            assert (await last_of(crew, long("echo"))).kind == "done"

    check()


def test_the_server_imports_nothing_heavy() -> None:
    code = (
        "import sys, segmint.app.crew.crew; "
        "raise SystemExit(bool({'torch', 'numpy', 'scipy', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
