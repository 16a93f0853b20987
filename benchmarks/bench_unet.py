"""A training step of the study's U-Net: 8 images of 224x224 pixels, 21 classes, Adam.

Ours against the plain float32 loop (``plain_unet.py``), two threads each: first that logits and
gradient agree from the same weights, then a step in turn, then peak memory in processes of their
own. Run: ``python benchmarks/bench_unet.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from measuring import machine, peak_memory, print_turns
from plain_unet import PlainStep, PlainUNet
from segmint.devices import choose_dtype
from segmint.networks import build

IMAGES, SIZE, CLASSES = 8, 224, 21
LIMITS = {torch.float32: (1e-3, 1e-2), torch.bfloat16: (3e-2, 0.3)}
"""Of the relative difference of logits and of gradient."""


def batch() -> tuple[Tensor, Tensor]:
    """Smooth pictures with a little noise, and a class a patch."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(IMAGES, 3, 9, 9, generator=generator)
    image = functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic")
    image += 0.05 * torch.rand(IMAGES, 3, SIZE, SIZE, generator=generator)
    patches = torch.randint(CLASSES, (IMAGES, 7, 7), generator=generator)
    mask = patches.repeat_interleave(SIZE // 7, dim=1).repeat_interleave(SIZE // 7, dim=2)
    return image, mask


def twins() -> tuple[PlainUNet, nn.Module]:
    """The same initial weights in both; both list them in the same order."""
    torch.manual_seed(0)
    plain, ours = PlainUNet(classes=CLASSES), build("unet", classes=CLASSES)
    values = plain.state_dict().values()
    ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))
    return plain, ours


class Step:
    """A step of ours in an arithmetic."""

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        self.network, self.dtype = network, dtype
        image, self.mask = batch()
        self.image = image.contiguous(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

    def loss(self) -> tuple[Tensor, Tensor]:
        """Logits and what to minimize."""
        low = self.dtype != torch.float32
        with torch.autocast("cpu", dtype=self.dtype if low else None, enabled=low):
            logits = self.network(self.image)
        return logits, functional.cross_entropy(logits.float(), self.mask)

    def __call__(self) -> float:
        self.optimizer.zero_grad()
        loss = self.loss()[1]
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())


def agreement(dtype: torch.dtype) -> tuple[float, float]:
    """Relative difference of logits and of gradient from the same weights."""
    plain, ours = twins()
    image, mask = batch()
    expected = plain(image)
    functional.cross_entropy(expected, mask).backward()
    found, loss = Step(ours, dtype).loss()
    loss.backward()
    left, right = (
        torch.cat([weight.grad.flatten() for weight in network.parameters()])
        for network in (plain, ours)
    )
    return (
        float((found.detach() - expected.detach()).norm() / expected.detach().norm()),
        float((right - left).norm() / left.norm()),
    )


def works() -> dict[str, Callable[[], Callable[[], float]]]:
    """What makes each step, by name; bfloat16 where the processor computes in it."""
    made: dict[str, Callable[[], Callable[[], float]]] = {
        "plain": lambda: PlainStep(twins()[0], *batch()),
        "float32": lambda: Step(twins()[1], torch.float32),
    }
    if choose_dtype("auto", torch.device("cpu")) == torch.bfloat16:
        made["bfloat16"] = lambda: Step(twins()[1], torch.bfloat16)
    return made


def memory(which: str) -> None:
    """Print how much two steps add to the resident memory, in MiB."""
    work = works()[which]()
    before = peak_memory()
    work()
    work()
    print(f"{peak_memory() - before} MiB")


def main() -> None:
    """Print every figure."""
    print(machine())
    torch.set_num_threads(2)
    for dtype, limits in LIMITS.items():
        found = agreement(dtype)
        print(f"{dtype}: logits differ by {found[0]:.1e}, gradient by {found[1]:.1e}")
        if any(each > limit for each, limit in zip(found, limits, strict=True)):
            raise SystemExit(f"more than {limits}: not the same network")
    print_turns(__file__, works())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        memory(sys.argv[1])
    else:
        main()
