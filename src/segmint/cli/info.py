"""``segmint info``: what to paste into a bug report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from cyclopts import Parameter

from segmint.cli import console
from segmint.runs import versions


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def info(*, json: Annotated[bool, Parameter(negative=())] = False) -> int:
        """Print versions and devices.

        Args:
            json: print as JSON.
        """
        facts = {**versions(), **_devices()}
        if json:
            console.result_json(facts)
            return 0
        width = max(map(len, facts))
        for name, value in facts.items():
            console.result(f"{name.ljust(width)}  {value}")
        return 0

    return info


def _devices() -> dict[str, str]:
    import torch

    from segmint.devices import choose_device, choose_dtype

    device = choose_device("auto")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "device": name,
        "precision": str(choose_dtype("auto", device)).removeprefix("torch."),
        "threads": str(torch.get_num_threads()),
    }
