"""What processes begin with: no script, few threads, and nothing of the terminal's."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

from segmint.forking import process_context, without_script


def test_the_main_module_is_there_in_all_but_its_origin() -> None:
    main = sys.modules["__main__"]
    with without_script():
        stand_in = sys.modules["__main__"]
        assert stand_in.__name__ == "__main__"
        assert stand_in.__file__ is None
        assert stand_in.__spec__ is None
        assert set(vars(main)) <= set(vars(stand_in))
    assert sys.modules["__main__"] is main


def test_processes_are_spawned_where_none_can_be_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert process_context([]).get_start_method() == "spawn"


BEGINNING = """
import os, signal, sys
from segmint.forking import process_context, without_script

def tell(line, threads):
    from segmint.forking import begin_process
    begin_process(threads)
    import torch
    from threadpoolctl import threadpool_info
    counts = [torch.get_num_threads(), *(each["num_threads"] for each in threadpool_info())]
    score = open("/proc/self/oom_score_adj").read().strip()
    line.send((counts, signal.getsignal(signal.SIGINT) == signal.SIG_IGN, score))

if __name__ == "__main__":
    context = process_context(["torch", "scipy.linalg", "sklearn.cluster", "no.such.module"])
    for threads in (1, 2):
        line, far_end = context.Pipe()
        process = context.Process(target=tell, args=(far_end, threads))
        process.start()
        counts, is_deaf, score = line.recv()
        process.join()
        print(threads, sorted(set(counts)), len(counts) > 2, is_deaf, score)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads a score of Linux")
def test_what_was_imported_beforehand_keeps_to_the_threads(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(BEGINNING)
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert found.stdout.splitlines() == ["1 [1] True True 500", "2 [2] True True 500"], found.stderr
