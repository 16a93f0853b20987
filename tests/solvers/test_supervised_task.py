from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, jaccard_score
from torch import Tensor, nn
from torch.nn import functional

from segmint.errors import InputError
from segmint.objectives import Batch, Objective
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.supervised_task import SupervisedTask, sized
from segmint.solvers.training import fit
from segmint.solvers.training_options import TrainingOptions
from segmint.solvers.validation import validate

sys.path.insert(0, str(Path(__file__).parent))
from training_example import ExampleSource, ExampleValidation

CLASSES = 4


def network(stride: int = 1, classes: int = CLASSES) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(2)
        return nn.Conv2d(3, classes, 3, stride=stride, padding=1)


def task(expression: str = "cross_entropy", stride: int = 1) -> SupervisedTask:
    return SupervisedTask(network(stride), Objective(expression), classes=CLASSES)


def batch(
    seed: int, size: tuple[int, int] = (12, 10), native: tuple[int, int] | None = None
) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    mask = torch.randint(0, 3, (1, *(native or size)), generator=generator)
    mask[:, :2] = 255
    return Batch(
        image=torch.randn(1, 3, *size, generator=generator), mask=mask, names=(f"image-{seed}",)
    )


@dataclass
class Images:
    """A validation of given batches."""

    given: list[Batch]

    def batches(self, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        yield from self.given[rank::world]


def test_loss_and_its_parts() -> None:
    learned, given = task("cross_entropy + 0.5*bce"), batch(0)
    total, parts = learned.loss(given)
    logits = learned.network(given.image)
    expected = functional.cross_entropy(logits, given.mask, ignore_index=255)
    assert list(parts) == ["cross_entropy", "bce"]
    assert not any(part.requires_grad for part in parts.values())
    torch.testing.assert_close(parts["cross_entropy"], expected.detach())
    torch.testing.assert_close(total.detach(), sum(parts.values()))
    assert set(learned.networks()) == {"network"}


def test_smaller_logits_come_to_the_size_of_the_mask() -> None:
    learned, given = task(stride=2), batch(0)
    total, _ = learned.loss(given)
    logits = learned.network(given.image)
    assert logits.shape[-2:] == (6, 5)
    larger = functional.interpolate(logits, (12, 10), mode="bilinear", align_corners=False)
    expected = functional.cross_entropy(larger, given.mask, ignore_index=255)
    torch.testing.assert_close(total, expected)


@pytest.mark.parametrize("native", [(12, 10), (31, 23)])
@pytest.mark.parametrize("stride", [1, 2])
def test_scores_are_of_all_pixels_at_native_size(stride: int, native: tuple[int, int]) -> None:
    learned = task(stride=stride)
    given = [batch(seed, native=native) for seed in range(4)]
    found = validate(learned, Images(given), device=torch.device("cpu"))
    truth, labels = [], []
    for each in given:
        logits = learned.network(each.image).detach()
        larger = functional.interpolate(logits, native, mode="bilinear", align_corners=False)
        known = each.mask != 255
        truth.append(each.mask[known].numpy())
        labels.append(larger.argmax(dim=1)[known].numpy())
    y, p = np.concatenate(truth), np.concatenate(labels)
    present = np.union1d(y, p)
    iou = jaccard_score(y, p, labels=present, average=None)
    assert found["mean_iou"] == pytest.approx(iou.mean())
    assert found["accuracy"] == pytest.approx(accuracy_score(y, p))
    assert found["mean_dice"] == pytest.approx(f1_score(y, p, labels=present, average="macro"))
    by_class = {int(k): learned.class_iou[k] for k in present}
    assert by_class == pytest.approx(dict(zip(present.tolist(), iou.tolist(), strict=True)))
    assert all(math.isnan(learned.class_iou[k]) for k in range(CLASSES) if k not in present)


def test_validation_loss_is_the_mean_over_images() -> None:
    learned = task()
    given = [batch(seed) for seed in range(3)]
    found = validate(learned, Images(given), device=torch.device("cpu"))
    expected = [float(learned.loss(each)[0].detach()) for each in given]
    assert found["loss"] == pytest.approx(sum(expected) / 3)
    again = validate(learned, Images(given[:1]), device=torch.device("cpu"))
    assert again["loss"] == pytest.approx(expected[0])
    assert learned.training


def test_pixels_outside_the_region_do_not_count() -> None:
    learned, given = task(), batch(0)
    region = torch.zeros(1, 12, 10, dtype=torch.bool)
    region[:, 4:] = True
    inside = replace(given, mask=given.mask.masked_fill(~region, 255))
    found, expected = (
        validate(learned, Images([each]), device=torch.device("cpu"))
        for each in (replace(given, region=region), inside)
    )
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (replace(batch(5), mask=None), "there is no mask of image-5"),
        (
            replace(batch(5), mask=torch.full((1, 12, 10), 4)),
            r"the mask of image-5 holds label 4, but there are 4 classes \(0\.\.3\)",
        ),
        (replace(batch(5), mask=torch.full((1, 12, 10), 255)), "no pixel of the validation"),
    ],
)
def test_bad_validation_images(given: Batch, said: str) -> None:
    with pytest.raises(InputError, match=said):
        validate(task(), Images([given]), device=torch.device("cpu"))


def test_explains_what_is_not_finite() -> None:
    learned = task("cross_entropy + 0.1*continuity")
    given = batch(3)
    learned.explain(given)  # there is nothing to explain
    given.image[0, 0, 5, 5] = torch.inf
    with pytest.raises(InputError, match="the pixels of image-3 are not all finite"):
        learned.explain(given)


def test_sized() -> None:
    logits = torch.randn(2, 3, 4, 5)
    assert sized(logits, (4, 5)) is logits
    assert sized(logits, torch.Size((9, 7))).shape == (2, 3, 9, 7)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_learns(precision: str, tmp_path: Path) -> None:
    plain = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))
    learned = SupervisedTask(plain, Objective("cross_entropy"), classes=2)
    fitted = fit(
        learned,
        ExampleSource(),
        validation=ExampleValidation(),
        optimizer=OptimizerOptions(learning_rate=0.05),
        training=TrainingOptions(epochs=10),
        folder=tmp_path,
        device="cpu",
        precision=precision,
    )
    assert fitted.best_score > 0.6
    assert list(fitted.history[0])[3:] == [
        "loss", "cross_entropy", "val_loss", "val_mean_iou", "val_accuracy", "val_mean_dice",
    ]  # fmt: skip


def test_names_the_term_and_the_image_that_stop_it(tmp_path: Path) -> None:
    learned = SupervisedTask(nn.Conv2d(1, 2, 3, padding=1), Objective("cross_entropy"), classes=2)
    with pytest.raises(InputError, match=r"cross_entropy nan\): the pixels of image-7002-3"):
        fit(
            learned,
            ExampleSource(spoilt_step=2),
            optimizer=OptimizerOptions(),
            training=TrainingOptions(epochs=1),
            folder=tmp_path,
            device="cpu",
        )


def test_state_is_of_network_and_objective_alone() -> None:
    names = [name for name in task().state_dict() if not name.startswith("objective.")]
    assert names == ["network.weight", "network.bias"]
    assert isinstance(task().loss(batch(0))[0], Tensor)
