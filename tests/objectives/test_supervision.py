from __future__ import annotations

import pytest
import torch

from segmint.errors import InputError
from segmint.objectives import cross_entropy_loss
from segmint.objectives.supervision import labels_of


def test_targets_and_known_pixels() -> None:
    mask = torch.tensor([[[0, 2, 9]], [[9, 9, 1]]], dtype=torch.uint8)
    targets, known = labels_of(torch.zeros(2, 3, 1, 3), mask, 9)
    assert targets.tolist() == [[[0, 2, 0]], [[0, 0, 1]]]
    assert targets.dtype == torch.int64
    assert known.tolist() == [[[True, True, False]], [[False, False, True]]]


@pytest.mark.parametrize("label", [3, 254, -1])
def test_a_label_that_is_no_class(label: int) -> None:
    mask = torch.zeros(2, 4, 5, dtype=torch.long)
    mask[1, 2, 3] = label
    with pytest.raises(InputError) as caught:
        cross_entropy_loss(torch.zeros(2, 3, 4, 5), mask)
    assert f"mask 2 of the batch holds label {label}, but there are 3 classes (0 to 2)" in str(
        caught.value
    )


@pytest.mark.parametrize("shape", [(2, 5, 4), (1, 4, 5), (4, 5)])
def test_a_mask_of_another_size(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="of the same N, H and W"):
        cross_entropy_loss(torch.zeros(2, 3, 4, 5), torch.zeros(shape, dtype=torch.long))
