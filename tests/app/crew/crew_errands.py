"""Errands for the tests of the crew; its processes import this file by its name."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from segmint.app.errand import Telling
from segmint.errors import InputError, OutputError, UsageError

ERRORS: dict[str, type[Exception]] = {
    "input": InputError,
    "output": OutputError,
    "usage": UsageError,
    "memory": MemoryError,
    "key": KeyError,
    "error": Exception,
}
KEPT: list[bytearray] = []


def echo(telling: Telling, **arguments: Any) -> dict[str, Any]:
    return arguments


def name_process(telling: Telling, **arguments: Any) -> dict[str, Any]:
    return {"pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}


def fail(telling: Telling, *, kind: str, text: str, **arguments: Any) -> dict[str, Any]:
    raise ERRORS[kind](text)


def return_path(telling: Telling) -> dict[str, Any]:
    return {"path": Path("photo.png")}


def count(telling: Telling, *, steps: int, seconds: float) -> dict[str, Any]:
    for step in range(1, steps + 1):
        telling.frame(bytes([step % 256]) * 1000, step, steps)
        telling.progress(step, steps, f"step {step}")
        time.sleep(seconds)
    return {"steps": steps}


def sleep(telling: Telling, *, seconds: float) -> dict[str, Any]:
    time.sleep(seconds)
    return {"slept": seconds}


def note(telling: Telling, *, path: str, text: str, seconds: float = 0.0) -> dict[str, Any]:
    time.sleep(seconds)
    with Path(path).open("a") as file:
        file.write(text)
    return {}


def write(telling: Telling, *, path: str) -> dict[str, Any]:
    """Without end, and deaf."""
    while True:
        with Path(path).open("a") as file:
            file.write("x")
        time.sleep(0.01)


def until_stopped(telling: Telling) -> dict[str, Any]:
    telling.progress(0, None, "begun")
    while not telling.is_stopped:
        time.sleep(0.01)
    return {"stopped": True}


def hold(telling: Telling, *, mebibytes: int, seconds: float, keep: bool) -> dict[str, Any]:
    held = bytearray(mebibytes * 2**20)
    if keep:
        KEPT.append(held)
    time.sleep(seconds)
    return {"pid": os.getpid()}


def die(telling: Telling, *, number: int) -> dict[str, Any]:
    os.kill(os.getpid(), number)
    time.sleep(5)
    return {}


def leave(telling: Telling, *, code: int) -> dict[str, Any]:
    os._exit(code)


def quit_python(telling: Telling) -> dict[str, Any]:
    sys.exit(3)


def learn(telling: Telling) -> dict[str, Any]:
    """With what the usual preloading has imported: arithmetic in several threads."""
    import torch
    from torch import nn

    loaded = "segmint.regions.hybrid" in sys.modules and "torch._dynamo" in sys.modules
    layer = nn.Conv2d(8, 8, 3)
    descent = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(torch.ones(2, 8, 256, 256)).square().mean().backward()
    descent.step()
    return {"loaded": loaded, "threads": torch.get_num_threads()}
