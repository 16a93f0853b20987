"""What the trainer costs beside the arithmetic of its steps.

The same steps by a plain loop and by ``fit``, in turn: first that both learn the same weights, then

* the median step of a U-Net that takes about 0.3 s, and all of its steps with the ends of its
  epochs, which write checkpoint and log;
* steps of a network that is next to nothing, so that what is left is the cost of the loop itself.

And the optimizer on rows of channels-last weights against the same on the weights themselves.

Run: ``python benchmarks/bench_trainer.py``
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from measuring import in_turn, machine, ratio, spread
from segmint.networks import build
from segmint.objectives import Batch
from segmint.solvers.learning_task import LearningTask, Row
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.optimizers import WeightOptimizer
from segmint.solvers.training import fit
from segmint.solvers.training_options import TrainingOptions

CLASSES = 21
GOAL_SECONDS = 0.3
SIDES = (64, 96, 128, 160, 192, 224, 288)
ROUNDS = 3
PER_EPOCH = 10
OPTIONS = OptimizerOptions(schedule="constant", learning_rate=1e-3)

Clock = Callable[[], float]


class Task(LearningTask):
    """Cross-entropy of a network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        assert batch.mask is not None
        loss = functional.cross_entropy(self.network(batch.image).float(), batch.mask)
        return loss, {"cross_entropy": loss.detach()}

    def networks(self) -> Mapping[str, nn.Module]:
        return {"network": self.network}


@dataclass(frozen=True)
class Source:
    """The same few batches over and over, so that nothing but the steps takes time."""

    given: tuple[Batch, ...]
    steps_per_epoch: int = PER_EPOCH

    def batches(self, first_step: int, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        for step in itertools.count(first_step):
            yield self.given[step % len(self.given)]


class Times:
    """The moments at which steps ended."""

    def __init__(self, clock: Clock) -> None:
        self.moments: list[float] = []
        self._clock = clock

    def step(self, done: int, total: int, seconds_left: float | None, loss: float) -> None:
        self.moments.append(self._clock())

    def epoch(self, row: Row, line: str) -> None:
        pass

    @property
    def steps(self) -> list[float]:
        """Seconds from one step to the next within an epoch."""
        return [b - a for a, b in itertools.pairwise(self.moments)]


def unet() -> nn.Module:
    """A U-Net with weights of its own."""
    return build("unet", in_channels=3, classes=CLASSES, seed=0)


def tiny() -> nn.Module:
    """As little as a network can be."""
    torch.manual_seed(0)
    return nn.Conv2d(3, CLASSES, 1).to(memory_format=torch.channels_last)


def source(size: int, count: int) -> Source:
    """Three batches of random images."""
    generator = torch.Generator().manual_seed(0)
    return Source(
        tuple(
            Batch(
                image=torch.randn(count, 3, size, size, generator=generator).contiguous(
                    memory_format=torch.channels_last
                ),
                mask=torch.randint(CLASSES, (count, size, size), generator=generator),
            )
            for _ in range(3)
        )
    )


def plain(
    task: Task,
    batches: Source,
    steps: int,
    dtype: torch.dtype,
    clock: Clock = time.perf_counter,
) -> list[float]:
    """Seconds of each step of the plain loop."""
    task.train()
    optimizer = WeightOptimizer(task.parameter_groups(), OPTIONS)
    seconds, losses = [], 0.0
    for batch in itertools.islice(batches.batches(0), steps):
        start = clock()
        optimizer.forget_gradients()
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            loss, _ = task.loss(batch)
        loss.backward()
        optimizer.take_gradients()
        optimizer.optimizer.step()
        losses += float(loss.detach())
        seconds.append(clock() - start)
    return seconds


def ours(
    task: Task,
    batches: Source,
    steps: int,
    dtype: torch.dtype,
    clock: Clock = time.perf_counter,
) -> list[float]:
    """Seconds from each step to the next in ``fit``; each tenth holds the end of an epoch."""
    times = Times(clock)
    with tempfile.TemporaryDirectory() as folder:
        fit(
            task,
            batches,
            optimizer=OPTIONS,
            training=TrainingOptions(steps=steps),
            folder=Path(folder),
            device="cpu",
            precision="float32" if dtype == torch.float32 else "bfloat16",
            watch=times,
        )
    return times.steps


def sized(dtype: torch.dtype) -> tuple[Source, int]:
    """Batches of two images whose step takes about 0.3 s here, and their side."""
    side = 0
    for side in SIDES:
        batches = source(side, 2)
        if statistics.median(plain(Task(unet()), batches, 4, dtype)[1:]) > 0.8 * GOAL_SECONDS:
            break
    return batches, side


def check_equal(batches: Source, dtype: torch.dtype) -> float:
    """Largest difference of a weight after steps of both loops from the same start."""
    found = []
    for learn in (plain, ours):
        task = Task(unet())
        learn(task, batches, 4, dtype)
        found.append(torch.cat([weight.detach().flatten() for weight in task.parameters()]))
    return float((found[0] - found[1]).abs().max())


def show_steps(batches: Source, dtype: torch.dtype) -> None:
    """A step of about 0.3 s: plain loop and fit in turn, a run of two epochs each round."""
    seconds: dict[str, list[float]] = {"plain": [], "fit": [], "epoch end": []}
    for _ in range(ROUNDS):
        seconds["plain"] += plain(Task(unet()), batches, 2 * PER_EPOCH, dtype)[1:]
        taken = ours(Task(unet()), batches, 2 * PER_EPOCH, dtype)
        seconds["epoch end"].append(taken.pop(PER_EPOCH - 1))
        seconds["fit"] += taken
    for name, values in seconds.items():
        print(f"  {name}: {spread(values)}")
    share = ratio(seconds["fit"], seconds["plain"]) - 1
    print(f"  a step in fit takes {100 * share:+.1f} % of a plain step (goal: at most +5 %)")


def show_loop() -> None:
    """What is left of a step when the network is next to nothing, in processor time of a thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    batches = source(8, 1)
    seconds: dict[str, list[float]] = {"plain": [], "fit": []}
    for _ in range(ROUNDS):
        for name, learn in (("plain", plain), ("fit", ours)):
            seconds[name] += learn(Task(tiny()), batches, 100, torch.float32, time.thread_time)[1:]
    more = statistics.median(seconds["fit"]) - statistics.median(seconds["plain"])
    share = 100 * more / GOAL_SECONDS
    for name, values in seconds.items():
        print(f"  {name}: {spread([1000 * each for each in values])}".replace(" s ", " ms "))
    print(f"  the loop itself: {1000 * more:.2f} ms a step, {share:.2f} % of 0.3 s")
    torch.set_num_threads(threads)


def show_optimizer() -> None:
    """A step of AdamW on the weights of a U-Net, and on their rows."""
    weights = unet()
    for weight in weights.parameters():
        weight.grad = torch.randn_like(weight)
    rows = WeightOptimizer([{"params": list(weights.parameters())}], OPTIONS)
    other = torch.optim.AdamW(weights.parameters(), lr=1e-3, fused=True)

    def on_rows() -> None:
        rows.take_gradients()
        rows.optimizer.step()

    taken = in_turn(other.step, on_rows, runs=21)
    print(f"  AdamW on the weights {spread(taken[0], 4)}, on rows, norm included, "
          f"{spread(taken[1], 4)}: {ratio(taken[0], taken[1]):.1f} times faster")  # fmt: skip


def main() -> None:
    """Print every figure."""
    print(machine())
    dtype = torch.bfloat16
    batches, side = sized(dtype)
    print(f"plain loop and fit: weights differ by {check_equal(batches, dtype):.1e} after 4 steps")
    print("1x1 convolution, one image of 8x8:")
    show_loop()
    print("optimizer:")
    show_optimizer()
    print(f"U-Net, bfloat16, 2 images of {side}x{side}:", flush=True)
    show_steps(batches, dtype)


if __name__ == "__main__":
    main()
