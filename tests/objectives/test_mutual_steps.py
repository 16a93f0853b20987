from __future__ import annotations

import torch

from segmint.objectives.mutual_steps import first_largest


def test_first_of_equal_values_is_the_largest() -> None:
    values = torch.randint(3, (2, 4, 50), generator=torch.Generator().manual_seed(0)).float()
    # numpy promises the first one.
    assert first_largest(values).tolist() == values.numpy().argmax(axis=1).tolist()
