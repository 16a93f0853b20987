"""Where arithmetic runs and how precise it is."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from segmint.errors import UsageError, nearest

if TYPE_CHECKING:
    import torch

PRECISIONS: tuple[str, ...] = ("auto", "float32", "bfloat16")


def choose_device(name: str | torch.device = "auto") -> torch.device:
    """The device of that name; ``auto`` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        UsageError: for an unknown device or one this machine does not have.
    """
    name = device_name(name)
    family = name.partition(":")[0]
    if name != "auto" and family not in ("cpu", "cuda", "mps"):
        raise UsageError(
            f"unknown device {name!r}: {nearest(name, ('auto', 'cpu', 'cuda', 'mps'))}"
        )
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(
            f"device {name!r} is not available on this machine: use --device auto or cpu"
        ) from error
    return device


def device_name(device: Any) -> str:
    """The name of a device that may be given as a ``torch.device``.

    Raises:
        UsageError: for what is neither.
    """
    if isinstance(device, str):
        return device
    import torch

    if isinstance(device, torch.device):
        return str(device)
    raise UsageError(
        f"device is {device!r}, accepted is a name such as 'auto', 'cpu' or 'cuda', "
        "or a torch.device"
    )


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The type of the network's arithmetic on a device.

    ``auto`` is bfloat16 where the hardware computes in it (CPU with AVX512-BF16 or AMX, CUDA from
    compute capability 8) and float32 elsewhere. Statistics and losses stay in float32 either way.
    """
    import torch

    if precision not in PRECISIONS:
        raise UsageError(f"unknown precision {precision!r}: {nearest(str(precision), PRECISIONS)}")
    if precision == "float32":
        return torch.float32
    if precision == "bfloat16" or _computes_in_bfloat16(device):
        return torch.bfloat16
    return torch.float32


def check_arithmetic(seed: Any, device: str | torch.device, precision: str) -> None:
    """Refuse what no method could compute with, also by methods that need none of it.

    Raises:
        UsageError: names what was given and what is accepted.
    """
    whole = isinstance(seed, numbers.Integral) and not isinstance(seed, bool)
    if not whole or not 0 <= int(seed) < 2**32:
        raise UsageError(f"seed is {seed!r}, accepted is a whole number from 0 to {2**32 - 1}")
    if precision not in PRECISIONS:
        raise UsageError(f"unknown precision {precision!r}: {nearest(str(precision), PRECISIONS)}")
    if device not in ("auto", "cpu"):
        choose_device(device)


def use_threads(count: int) -> None:
    """Let arithmetic use so many processor threads; 0 leaves the libraries' own choice."""
    if count > 0:
        import torch

        torch.set_num_threads(count)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn what torch raises when memory runs out, a ``RuntimeError``, into a ``MemoryError``."""
    try:
        yield
    except RuntimeError as error:
        if "out of memory" in str(error) or "can't allocate memory" in str(error):
            raise MemoryError(str(error)) from error
        raise


def _computes_in_bfloat16(device: torch.device) -> bool:
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return bool(cast(bool, probe())) if probe is not None else False
    return False
