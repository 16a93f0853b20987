"""A small task and its data for the tests of the trainer; as a script it trains once.

``python training_example.py FOLDER [NAME=VALUE ...]`` learns into the folder and writes the
resulting weights, rows and reason there. It is started and killed by the tests.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from segmint.errors import InputError
from segmint.objectives import Batch
from segmint.solvers.chance import reseed
from segmint.solvers.learning_task import LearningTask
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.training import Fitted, fit
from segmint.solvers.training_options import TrainingOptions

RESULT = "result.safetensors"
FACTS = "facts.json"


class ExampleTask(LearningTask):
    """Two classes by brightness; with dropout, so that chance matters in a step."""

    monitor = "accuracy"

    def __init__(self, *, dropout: float = 0.2, features: int = 6, norm: bool = False) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            self.network = nn.Sequential(
                nn.Conv2d(1, features, 3, padding=1),
                nn.BatchNorm2d(features) if norm else nn.Identity(),
                nn.ReLU(),
                nn.Dropout2d(dropout),
                nn.Conv2d(features, 2, 1),
            ).to(memory_format=torch.channels_last)
        self.enough_after = 0
        self._right = torch.zeros(2)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        logits = self.network(batch.image).float()
        surprise = functional.cross_entropy(logits, batch.mask)
        size = 1e-2 * logits.square().mean()
        return surprise + size, {"surprise": surprise.detach(), "size": size.detach()}

    def networks(self) -> dict[str, nn.Module]:
        return {"network": self.network}

    def start_validation(self) -> None:
        self._right.zero_()

    def validate(self, batch: Batch) -> None:
        right = self.network(batch.image).argmax(dim=1) == batch.mask
        self._right += torch.tensor([float(right.sum()), right.numel()])

    def scores(self) -> dict[str, float]:
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(self._right)
        return {"accuracy": float(self._right[0] / self._right[1])}

    def enough(self, history: object) -> bool:
        return 0 < self.enough_after <= len(history)


class OneThread(ExampleTask):
    """Refuses to learn with more than one processor thread."""

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        if torch.get_num_threads() > 1:
            raise InputError(f"{torch.get_num_threads()} threads")
        return super().loss(batch)


class PairTask(LearningTask):
    """Two tasks side by side; each has chance and a learning rate of its own."""

    monitor = "mean/accuracy"
    monitors = {"wide": "wide/accuracy", "narrow": "narrow/accuracy"}  # noqa: RUF012

    def __init__(self, *, dropout: float = 0.2, norm: bool = False) -> None:
        super().__init__()
        self.members = nn.ModuleDict(
            {
                "wide": ExampleTask(dropout=dropout, features=7, norm=norm),
                "narrow": ExampleTask(dropout=dropout, features=3, norm=norm),
            }
        )
        self.begun: list[int] = []
        """Numbers of the steps of all batches so far."""

    def begin_step(self, step: int) -> None:
        self.begun.append(step)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        base = torch.initial_seed()
        totals, told = [], {}
        for name, member in self.members.items():
            reseed(batch.image.device, base, zlib.crc32(name.encode()))
            total, parts = member.loss(batch)
            totals.append(total)
            told |= {f"{name}/{part}": value for part, value in parts.items()}
        return torch.stack(totals).sum(), told

    def parameter_groups(self) -> list[dict[str, object]]:
        return [
            {"params": self.members["wide"].parameters()},
            {"params": self.members["narrow"].parameters(), "lr": 0.05},
        ]

    def networks(self) -> dict[str, nn.Module]:
        return {name: member.network for name, member in self.members.items()}

    def start_validation(self) -> None:
        for member in self.members.values():
            member.start_validation()

    def validate(self, batch: Batch) -> None:
        for member in self.members.values():
            member.validate(batch)

    def scores(self) -> dict[str, float]:
        each = {
            f"{name}/accuracy": member.scores()["accuracy"] for name, member in self.members.items()
        }
        return {**each, "mean/accuracy": sum(each.values()) / len(each)}


class FailsInTheSecond(ExampleTask):
    """Fails in a process that is not the first."""

    failure: type[Exception] = InputError

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        if torch.distributed.get_rank() == 1:
            raise self.failure(f"cannot learn from {batch.names[0]}")
        return super().loss(batch)


class BreaksInTheSecond(FailsInTheSecond):
    """Fails there in a way that nobody foresaw."""

    failure = RuntimeError


class Unreadable(ExampleTask):
    """Cannot be read by another process."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (3,)


@dataclass
class ExampleSource:
    """Images from the number of their step."""

    steps_per_epoch: int = 4
    batch_size: int = 4
    pause: float = 0.0
    """Seconds that a batch takes to come."""
    spoilt_step: int = -1
    """A batch whose last image is NaN."""
    data_seed: int = 7

    def batches(self, first_step: int, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        step = first_step
        share = self.batch_size // world
        while True:
            time.sleep(self.pause)
            batch = example_batch(self.data_seed * 1000 + step, self.batch_size)
            if step == self.spoilt_step:
                batch.image[-1] = torch.nan
            part = slice(rank * share, (rank + 1) * share)
            yield Batch(image=batch.image[part], mask=batch.mask[part], names=batch.names[part])
            step += 1


@dataclass
class ExampleValidation:
    """Five images, one after the other."""

    count: int = 5

    def batches(self, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        for number in range(rank, self.count, world):
            yield example_batch(900_000 + number, 1)


def example_batch(seed: int, size: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    mask = (torch.rand(size, 1, 8, 10, generator=generator) < 0.4).float()
    image = mask + 0.5 * torch.randn(size, 1, 8, 10, generator=generator)
    names = tuple(f"image-{seed}-{number}" for number in range(size))
    return Batch(image=image, mask=mask[:, 0].long(), names=names)


def train(folder: Path, *, task: LearningTask | None = None, **given: object) -> Fitted:
    """Learn with small defaults; names of either option set, of the source, or of ``fit``."""
    optimizer = _taken(given, OptimizerOptions.names(), {"learning_rate": 0.02})
    training = _taken(given, TrainingOptions.names(), {"epochs": 3})
    source = _taken(given, dict.fromkeys(ExampleSource.__dataclass_fields__), {})
    source["steps_per_epoch"] = training.pop("steps_per_epoch", 4)
    source["batch_size"] = training.get("batch_size", 4)
    validated = given.pop("validated", True)
    given = {"seed": 3, "device": "cpu", "precision": "float32", **given}
    return fit(
        ExampleTask() if task is None else task,
        ExampleSource(**source),
        validation=ExampleValidation() if validated else None,
        optimizer=OptimizerOptions(**optimizer),
        training=TrainingOptions(**training),
        folder=folder,
        **given,
    )


def _taken(given: dict, names: object, defaults: dict) -> dict:
    return {**defaults, **{name: given.pop(name) for name in list(given) if name in names}}


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0])
    given = {}
    for argument in arguments[1:]:
        name, _, value = argument.partition("=")
        given[name] = json.loads(value)
    torch.set_num_threads(1)
    kind = PairTask if given.pop("pair", False) else ExampleTask
    task = kind(norm=given.pop("norm", False), dropout=given.pop("dropout", 0.2))
    fitted = train(folder, task=task, **given)
    weights = {name: value.contiguous() for name, value in task.state_dict().items()}
    save_file(weights, folder / RESULT)
    facts = {"rows": [dict(row) for row in fitted.history], "stopped": fitted.stopped}
    (folder / FACTS).write_text(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1:])
