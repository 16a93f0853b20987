"""Chance that depends on numbers alone, so that a training can go on from anywhere."""

from __future__ import annotations

import numpy as np
import torch


def reseed(device: torch.device, *numbers: int) -> None:
    """Let what is random from here on, like dropout, depend on some numbers alone.

    Sets torch's default generator of the CPU and that of the device.

    Args:
        device: where networks compute.
        numbers: 0 or larger; other numbers, or another order, give other chance. Zeros at the end
            are as none.

    Example:
        >>> cpu = torch.device("cpu")
        >>> with torch.random.fork_rng(devices=[]):
        ...     reseed(cpu, 7, 1)
        ...     first = torch.rand(3)
        ...     reseed(cpu, 7, 1)
        ...     print(torch.equal(first, torch.rand(3)))
        True
    """
    seed = int(np.random.SeedSequence(numbers).generate_state(1)[0])
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
