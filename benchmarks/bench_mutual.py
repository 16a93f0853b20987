"""A step of mutual learning: DeepLabV3 ResNet-50 and the study's U-Net, 4 images of 224x224 pixels.

Ours against the study's arithmetic (``plain_mutual.py``: six forward and two backward passes; also
without graphs that nobody needs), two threads each: first that both peers get the same gradient
from the same weights, then a step in turn, then peak memory in processes of their own.

Run: ``python benchmarks/bench_mutual.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor, nn

from bench_unet import CLASSES
from bench_unet import batch as unet_batch
from measuring import machine, peak_memory, print_turns
from plain_mutual import PlainMutualStep, plain_loss
from plain_unet import PlainUNet
from segmint.devices import choose_dtype
from segmint.networks import build
from segmint.objectives import Batch, Objective
from segmint.solvers.mutual_options import MutualOptions
from segmint.solvers.mutual_task import MutualTask
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.optimizers import WeightOptimizer
from segmint.solvers.peer import Peer
from segmint.torchvision_operators import declare_operators

IMAGES = 4
NAMES = ("deeplabv3-resnet50", "unet")
LIMITS = {torch.float64: 1e-8, torch.float32: 10.0, torch.bfloat16: 1.5}
"""Of the difference of a peer's gradient from the plain one in float64: in float64 itself, else as
a multiple of how far the plain one in that arithmetic is from it. At its random start a ResNet of
50 layers amplifies every rounding by five orders of magnitude."""

Peers = tuple[nn.Module, nn.Module]


def batch() -> tuple[Tensor, Tensor]:
    """Of the U-Net's benchmark, as many as the study has."""
    image, mask = unet_batch()
    return image[:IMAGES], mask[:IMAGES]


def plain_peers() -> Peers:
    """The package's DeepLabV3 and the plain U-Net, from weights of chance."""
    declare_operators()
    import segmentation_models_pytorch as smp

    torch.manual_seed(0)
    deeplab = smp.DeepLabV3("resnet50", encoder_weights=None, in_channels=3, classes=CLASSES)
    return deeplab, PlainUNet(classes=CLASSES)


def our_peers(plain: Peers) -> Peers:
    """Ours, with the weights of plain ones."""
    deeplab, unet = fresh_peers()
    for ours, theirs in ((deeplab, plain[0]), (unet, plain[1])):
        values = theirs.state_dict().values()
        ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))
    return deeplab, unet


class Step:
    """A step of ours in an arithmetic, as the trainer makes it."""

    def __init__(self, peers: Peers, dtype: torch.dtype) -> None:
        self.dtype = dtype
        image, mask = batch()
        image = image.contiguous(memory_format=torch.channels_last)
        self.batch = Batch(image=image, mask=mask)
        learning = {
            name: Peer(
                network=peer,
                objective=Objective("cross_entropy"),
                teachers=tuple(each for each in NAMES if each != name),
            )
            for name, peer in zip(NAMES, peers, strict=True)
        }
        self.task = MutualTask(learning, MutualOptions(), classes=CLASSES)
        self.task.train()
        options = OptimizerOptions(optimizer="adam", learning_rate=1e-3)
        self.optimizer = WeightOptimizer(self.task.parameter_groups(), options)

    def gradients(self) -> None:
        """Compute what the weights would follow."""
        self.optimizer.forget_gradients()
        with _arithmetic(self.dtype):
            total, _ = self.task.loss(self.batch)
        total.backward()

    def __call__(self) -> None:
        self.gradients()
        self.optimizer.take_gradients()
        self.optimizer.optimizer.step()
        self.optimizer.forget_gradients()


def plain_gradients(dtype: torch.dtype) -> list[Tensor]:
    """Of each plain peer, from the same weights, without dropout."""
    image, mask = batch()
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    peers = [_without_dropout(peer).to(wide) for peer in plain_peers()]
    with _arithmetic(dtype):
        logits = [peer(image.to(wide)).to(wide) for peer in peers]
    for own, other in ((0, 1), (1, 0)):
        plain_loss(logits[own], logits[other].detach(), mask).backward()
    return [_gradient(peer) for peer in peers]


def our_gradients(dtype: torch.dtype) -> list[Tensor]:
    """The same of ours."""
    deeplab, unet = our_peers(plain_peers())
    peers = (_without_dropout(deeplab), _without_dropout(unet))
    step = Step(peers, dtype)
    if dtype == torch.float64:
        step.task.to(dtype)
        step.batch = replace(step.batch, image=step.batch.image.to(dtype))
    step.gradients()
    return [_gradient(peer) for peer in peers]


def differences(found: list[Tensor], expected: list[Tensor]) -> list[float]:
    """Relative, of each peer."""
    return [
        float((one - other).norm() / other.norm())
        for one, other in zip(found, expected, strict=True)
    ]


def _arithmetic(dtype: torch.dtype) -> AbstractContextManager[object]:
    return torch.autocast("cpu", dtype=dtype) if dtype == torch.bfloat16 else nullcontext()


def _without_dropout(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return network


def _gradient(network: nn.Module) -> Tensor:
    gradients = [weight.grad for weight in network.parameters()]
    return torch.cat([each.flatten() for each in gradients if each is not None]).double()


def fresh_peers() -> Peers:
    """Ours, from weights of chance of their own."""
    return build("smp:deeplabv3/resnet50", classes=CLASSES), build("unet", classes=CLASSES)


def works() -> dict[str, Callable[[], Callable[[], object]]]:
    """What makes each step, by name; bfloat16 where the processor computes in it."""
    made: dict[str, Callable[[], Callable[[], object]]] = {
        "plain": lambda: PlainMutualStep(plain_peers(), *batch()),
        "plain, frugal": lambda: PlainMutualStep(plain_peers(), *batch(), frugal=True),
        "float32": lambda: Step(fresh_peers(), torch.float32),
    }
    if choose_dtype("auto", torch.device("cpu")) == torch.bfloat16:
        made["bfloat16"] = lambda: Step(fresh_peers(), torch.bfloat16)
    return made


def memory(which: str) -> None:
    """Print the peak and what two steps add to the networks and the batch, in MiB."""
    work = works()[which]()
    before = peak_memory()
    work()
    work()
    print(f"{peak_memory()} MiB, {peak_memory() - before} of it by the steps")


def compare() -> None:
    """Stop unless the step is the same one."""
    expected = plain_gradients(torch.float64)
    for dtype, limit in LIMITS.items():
        found = differences(our_gradients(dtype), expected)
        usual = [1.0, 1.0]
        if dtype != torch.float64:
            usual = differences(plain_gradients(dtype), expected)
        told = ", ".join(
            f"{name} {one:.1e}" + (f" (plain {other:.1e})" if dtype != torch.float64 else "")
            for name, one, other in zip(NAMES, found, usual, strict=True)
        )
        print(f"{dtype}, distance of the gradient from the plain one in float64: {told}")
        if any(one > limit * other for one, other in zip(found, usual, strict=True)):
            raise SystemExit(f"more than {limit}: not the same step")


def main() -> None:
    """Print every figure."""
    print(machine())
    torch.set_num_threads(2)
    compare()
    print_turns(__file__, works())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        memory(sys.argv[1])
    else:
        main()
