"""What a comparison ran on, in one line."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

_DRIVERS = ("/proc/driver/nvidia", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""What Linux has where a GPU can compute: of NVIDIA, of AMD, and inside Windows."""


def machine(device: str = "cpu") -> str:
    """Processor, cores and memory, and the accelerator where one computes.

    Args:
        device: as :func:`segmint.devices.choose_device` takes it.
    """
    parts = [_processor(), f"{os.cpu_count()} cores"]
    memory = _memory()
    if memory is not None:
        parts.append(f"{memory / 2**30:.0f} GiB")
    if device not in ("cpu", "auto") or (device == "auto" and _may_accelerate()):
        parts += _accelerator(device)
    return ", ".join(parts)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _memory() -> int | None:
    """Bytes, where the system tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _may_accelerate() -> bool:
    """Whether it is worth importing torch to see what computes; a driver shows where there is."""
    return sys.platform != "linux" or any(Path(driver).exists() for driver in _DRIVERS)


def _accelerator(device: str) -> list[str]:
    import torch

    from segmint.devices import choose_device

    chosen = choose_device(device)
    if chosen.type == "cuda":
        return [torch.cuda.get_device_name(chosen)]
    return [] if chosen.type == "cpu" else [str(chosen)]
