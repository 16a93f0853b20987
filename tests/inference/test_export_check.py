from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from segmint.datasets.preprocessing import Preprocessing
from segmint.errors import InputError
from segmint.inference.export_check import (
    ExportCheck,
    Reference,
    check_answers,
    refuse_differences,
)
from segmint.inference.export_module import ExportModule

PREPROCESSING = Preprocessing(mean=(0.25, 0.5), deviation=(0.5, 0.25))


class Affine(nn.Module):
    """Three logits of two channels."""

    def __init__(self) -> None:
        super().__init__()
        weight = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]])
        self.convolution = nn.Conv2d(2, 3, 1, bias=False)
        self.convolution.weight = nn.Parameter(weight[:, :, None, None], requires_grad=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.convolution(image)


def module() -> ExportModule:
    return ExportModule([Affine()], preprocessing=PREPROCESSING, activation="softmax")


def reference() -> Reference:
    return Reference(
        networks=[Affine()], preprocessing=PREPROCESSING, activation="softmax", full_value=255
    )


def truth(images: np.ndarray) -> np.ndarray:
    """By hand."""
    first, second = (images[:, 0] / 255 - 0.25) / 0.5, (images[:, 1] / 255 - 0.5) / 0.25
    powers = np.exp(np.stack([first, second, 0.5 * second - first], axis=1))
    return powers / powers.sum(axis=1, keepdims=True)


IMAGES = np.random.default_rng(1).uniform(0, 255, (2, 2, 5, 7)).astype(np.float32)


def test_the_reference_is_what_its_formula_says() -> None:
    assert reference()(IMAGES) == pytest.approx(truth(IMAGES), abs=1e-6)


def test_the_module_is_the_reference() -> None:
    labels, found = module()(torch.from_numpy(IMAGES))
    assert found.numpy() == pytest.approx(truth(IMAGES), abs=1e-6)
    assert np.array_equal(labels.numpy(), truth(IMAGES).argmax(axis=1))


def checks(change: Any) -> list[ExportCheck]:
    def answer(images: np.ndarray) -> tuple[np.ndarray, ...]:
        found = truth(images).astype(np.float32)
        return change(found.argmax(axis=1), found)

    return list(check_answers(answer, reference(), module(), [("a.png", IMAGES)], seed=0))


def test_random_images_come_first_in_several_sizes_and_numbers() -> None:
    found = checks(lambda labels, maps: (labels, maps))
    assert [each.name for each in found] == ["random"] * 3 + ["a.png"]
    assert len({(each.height, each.width) for each in found}) == 4
    assert {each.images for each in found} == {1, 2, 3}
    assert max(each.difference for each in found) < 1e-6
    assert all(each.equal == 1 and each.unexplained == 0 for each in found)
    refuse_differences(found, precision="float32", least_agreement=0.98)


def test_ties_may_go_either_way_and_others_not() -> None:
    """A label may differ where the classes are nearer than the probabilities are exact."""

    def tied(labels: np.ndarray, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return maps.argsort(axis=1)[:, -2], maps + np.float32(5e-4)

    found = checks(tied)
    for each in found:
        assert each.equal == 0
        assert 0 < each.unexplained <= each.images * each.height * each.width
    second = np.sort(truth(IMAGES), axis=1)
    near = second[:, -1] - second[:, -2] <= 2 * found[-1].difference
    assert found[-1].unexplained == (~near).sum()
    with pytest.raises(InputError, match="another label than the run"):
        refuse_differences(found, precision="float32", least_agreement=0.98)


@pytest.mark.parametrize("value", [-1, 3, 255])
def test_labels_that_are_none_are_never_ties(value: int) -> None:
    found = checks(lambda labels, maps: (np.full_like(labels, value), maps))
    assert all(each.unexplained == each.images * each.height * each.width for each in found)


def test_answers_of_another_shape() -> None:
    with pytest.raises(InputError, match=r"answers \(1, .*\) labels"):
        checks(lambda labels, maps: (labels[:1], maps))


def check(equal: float, *, difference: float = 0.0, real: bool = True, side: int = 10) -> Any:
    return ExportCheck(
        name="a",
        is_real=real,
        images=1,
        height=side,
        width=10,
        difference=difference,
        equal=equal,
        unexplained=0,
        milliseconds=1.0,
        torch_milliseconds=1.0,
    )


@pytest.mark.parametrize("difference", [2e-3, float("nan"), float("inf")])
def test_float32_may_only_round(difference: float) -> None:
    with pytest.raises(InputError, match="differs from the run by"):
        refuse_differences(
            [check(1.0), check(1.0, difference=difference), check(1.0, difference=1e-9)],
            precision="float32",
            least_agreement=0,
        )


def test_8_bits_count_pixels_of_pictures_alone() -> None:
    found = [check(0.0, real=False), check(0.95, side=10), check(0.99, side=30)]
    refuse_differences(found, precision="int8", least_agreement=0.98)
    with pytest.raises(InputError, match=r"at 98\.00 % of the pixels, asked for is 98\.1 %"):
        refuse_differences(found, precision="int8", least_agreement=0.981)
